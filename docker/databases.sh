#!/bin/sh
# Run once by the image of PostgreSQL, on an empty volume: a database and a role for each service.
set -eu
make() {
    psql --username postgres --set ON_ERROR_STOP=1 --set name="$1" --set word="$2" <<'SQL'
CREATE ROLE :"name" LOGIN NOSUPERUSER NOBYPASSRLS PASSWORD :'word';
CREATE DATABASE :"name" OWNER :"name" ENCODING 'UTF8' TEMPLATE template0;
REVOKE ALL ON DATABASE :"name" FROM PUBLIC;
SQL
}
make airflow "$AIRFLOW_DB_PASSWORD"
make mlflow "$MLFLOW_DB_PASSWORD"
make bangfu "$BANGFU_DB_PASSWORD"
