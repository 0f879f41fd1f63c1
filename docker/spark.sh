#!/bin/sh
# A part of Spark's own cluster, from the jars that pip's pyspark brings: `spark.sh master`, or
# `spark.sh worker spark://spark-master:7077`.
set -eu
home="$(python -c 'import pyspark; print(pyspark.__path__[0])')"
export SPARK_HOME="$home" PYSPARK_PYTHON="$(command -v python)"
part="$1"
shift
case "$part" in
    master)
        exec "$home/bin/spark-class" org.apache.spark.deploy.master.Master \
            --host "$(hostname)" --port 7077 --webui-port 8081 "$@"
        ;;
    worker)
        exec "$home/bin/spark-class" org.apache.spark.deploy.worker.Worker --webui-port 8081 "$@"
        ;;
    *)
        echo "spark.sh: master or worker, not $part" >&2
        exit 2
        ;;
esac
