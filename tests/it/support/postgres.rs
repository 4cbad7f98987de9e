//! A PostgreSQL of a test's own, which can be restarted without losing its data or its port.

use strongroom_migration::Engine;
use testcontainers::core::ExecCommand;
use testcontainers::runners::AsyncRunner;
use testcontainers::{ContainerAsync, GenericImage, ImageExt};

use super::engine::{PASSWORD, Recipe, block_on, started, wait_for};

pub struct RestartablePostgres {
    container: Option<ContainerAsync<GenericImage>>,
    pub url: String,
}

/// Started again whenever it ends. Works with the official image and with ours.
const SCRIPT: &str = r#"
for entrypoint in docker-entrypoint.sh postgres-entrypoint; do
    if command -v $entrypoint > /dev/null; then break; fi
done
while :; do $entrypoint "$@"; sleep 1; done"#;

impl RestartablePostgres {
    pub fn start() -> Self {
        let recipe = Recipe::of(Engine::Postgres);
        block_on(async {
            let request = recipe
                .request(recipe.image().with_entrypoint("sh"))
                .with_cmd([&["-c", SCRIPT, "sh"], recipe.command].concat());
            let container = started(Engine::Postgres, request.start().await);
            let port = container.get_host_port_ipv4(recipe.port).await.unwrap();
            let url = format!(
                "postgres://{}:{PASSWORD}@127.0.0.1:{port}/{}",
                recipe.user, recipe.maintenance
            );
            wait_for(&url).await;
            Self { container: Some(container), url }
        })
    }

    fn container(&self) -> &ContainerAsync<GenericImage> {
        self.container.as_ref().unwrap()
    }

    /// What the server complained of last.
    pub fn log(&self) -> String {
        let bytes = block_on(self.container().stderr_to_vec()).unwrap();
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let lines =
            text.lines().rev().filter(|line| line.contains("FATAL") || line.contains("ERROR"));
        lines.take(12).collect::<Vec<_>>().join("\n")
    }

    /// A fast shutdown: every session is ended, nothing is lost. It is back in a second or two.
    pub fn restart(&self) {
        let kill = r#"kill -INT "$(head -1 "${PGDATA:-/var/lib/postgresql/data}/postmaster.pid")""#;
        block_on(async {
            let mut done =
                self.container().exec(ExecCommand::new(["sh", "-c", kill])).await.unwrap();
            let said = done.stderr_to_vec().await.unwrap();
            assert!(said.is_empty(), "{}", String::from_utf8_lossy(&said));
        });
    }
}

/// Removing a container takes a runtime.
impl Drop for RestartablePostgres {
    fn drop(&mut self) {
        let container = self.container.take();
        block_on(async { drop(container) });
    }
}
