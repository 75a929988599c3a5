#!/bin/bash
# What the official entrypoint does with its arguments.
case "${1:-}" in
  bash | python | airflow) exec "$@" ;;
  celery) exec airflow celery "${@:2}" ;;
  *) exec airflow "$@" ;;
esac
