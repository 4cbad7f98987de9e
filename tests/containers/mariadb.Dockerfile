# MariaDB from Debian's packages, for machines that reach no image registry.
# It answers to the same variables and command as the official image.
ARG SUITE=trixie
FROM debian:${SUITE}
RUN apt-get -o Acquire::Check-Valid-Until=false update \
 && apt-get install -y --no-install-recommends mariadb-server \
 && rm -rf /var/lib/apt/lists/* /var/lib/mysql/*
COPY mariadb-entrypoint /usr/local/bin/
ENTRYPOINT ["mariadb-entrypoint"]
CMD ["mariadbd"]
EXPOSE 3306
