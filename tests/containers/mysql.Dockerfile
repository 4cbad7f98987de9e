# MySQL from Debian's packages, for machines that reach no image registry.
# It answers to the same variables and command as the official image.
ARG SUITE=sid
FROM debian:${SUITE}
RUN apt-get -o Acquire::Check-Valid-Until=false update \
 && apt-get install -y --no-install-recommends mysql-server-core \
 && rm -rf /var/lib/apt/lists/* \
 && mkdir -p /var/run/mysqld /var/lib/mysql /var/lib/mysql-files
COPY mysql-entrypoint /usr/local/bin/
ENTRYPOINT ["mysql-entrypoint"]
CMD ["mysqld"]
EXPOSE 3306
