//! What makes a connection with keys go wherever sea-orm takes a connection.

/// Hands every call of sea-orm's on to a field, and gives its transactions the keys.
macro_rules! goes_where_a_connection_goes {
    ($type:ident, $field:ident, $inner:ty) => {
        impl $type {
            /// Returns the kind of database, as sea-orm's own connection does.
            pub fn get_database_backend(&self) -> sea_orm::DbBackend {
                sea_orm::ConnectionTrait::get_database_backend(&self.$field)
            }
        }

        #[async_trait::async_trait]
        impl sea_orm::ConnectionTrait for $type {
            fn get_database_backend(&self) -> sea_orm::DbBackend {
                sea_orm::ConnectionTrait::get_database_backend(&self.$field)
            }

            async fn execute_raw(
                &self,
                statement: sea_orm::Statement,
            ) -> Result<sea_orm::ExecResult, sea_orm::DbErr> {
                self.$field.execute_raw(statement).await
            }

            async fn execute_unprepared(
                &self,
                sql: &str,
            ) -> Result<sea_orm::ExecResult, sea_orm::DbErr> {
                self.$field.execute_unprepared(sql).await
            }

            async fn query_one_raw(
                &self,
                statement: sea_orm::Statement,
            ) -> Result<Option<sea_orm::QueryResult>, sea_orm::DbErr> {
                self.$field.query_one_raw(statement).await
            }

            async fn query_all_raw(
                &self,
                statement: sea_orm::Statement,
            ) -> Result<Vec<sea_orm::QueryResult>, sea_orm::DbErr> {
                self.$field.query_all_raw(statement).await
            }

            fn support_returning(&self) -> bool {
                self.$field.support_returning()
            }
        }

        impl sea_orm::StreamTrait for $type {
            type Stream<'a> = <$inner as sea_orm::StreamTrait>::Stream<'a>;

            fn get_database_backend(&self) -> sea_orm::DbBackend {
                sea_orm::ConnectionTrait::get_database_backend(&self.$field)
            }

            fn stream_raw<'a>(
                &'a self,
                statement: sea_orm::Statement,
            ) -> std::pin::Pin<
                Box<dyn Future<Output = Result<Self::Stream<'a>, sea_orm::DbErr>> + 'a + Send>,
            > {
                self.$field.stream_raw(statement)
            }
        }

        #[async_trait::async_trait]
        impl sea_orm::TransactionTrait for $type {
            type Transaction = $crate::record::Transaction;

            async fn begin(&self) -> Result<Self::Transaction, sea_orm::DbErr> {
                Ok(Self::Transaction::new(self.$field.begin().await?, self.keys.clone()))
            }

            async fn begin_with_config(
                &self,
                isolation_level: Option<sea_orm::IsolationLevel>,
                access_mode: Option<sea_orm::AccessMode>,
            ) -> Result<Self::Transaction, sea_orm::DbErr> {
                let begun = self.$field.begin_with_config(isolation_level, access_mode).await?;
                Ok(Self::Transaction::new(begun, self.keys.clone()))
            }

            async fn begin_with_options(
                &self,
                options: sea_orm::TransactionOptions,
            ) -> Result<Self::Transaction, sea_orm::DbErr> {
                Ok(Self::Transaction::new(
                    self.$field.begin_with_options(options).await?,
                    self.keys.clone(),
                ))
            }

            async fn transaction<F, T, E>(
                &self,
                callback: F,
            ) -> Result<T, sea_orm::TransactionError<E>>
            where
                F: for<'c> FnOnce(
                        &'c Self::Transaction,
                    ) -> std::pin::Pin<
                        Box<dyn Future<Output = Result<T, E>> + Send + 'c>,
                    > + Send,
                T: Send,
                E: std::fmt::Display + std::fmt::Debug + Send,
            {
                self.begin()
                    .await
                    .map_err(sea_orm::TransactionError::Connection)?
                    .run(callback)
                    .await
            }

            async fn transaction_with_config<F, T, E>(
                &self,
                callback: F,
                isolation_level: Option<sea_orm::IsolationLevel>,
                access_mode: Option<sea_orm::AccessMode>,
            ) -> Result<T, sea_orm::TransactionError<E>>
            where
                F: for<'c> FnOnce(
                        &'c Self::Transaction,
                    ) -> std::pin::Pin<
                        Box<dyn Future<Output = Result<T, E>> + Send + 'c>,
                    > + Send,
                T: Send,
                E: std::fmt::Display + std::fmt::Debug + Send,
            {
                let begun = self.begin_with_config(isolation_level, access_mode).await;
                begun.map_err(sea_orm::TransactionError::Connection)?.run(callback).await
            }
        }
    };
}
pub(super) use goes_where_a_connection_goes;
