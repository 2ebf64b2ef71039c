#!/usr/bin/env bash
# Copies directories to a server every night and keeps the last few copies.
set -euo pipefail

readonly KEEP_DAYS="${KEEP_DAYS:-14}"
readonly TARGET="${1:?usage: backup.sh TARGET DIR...}"
shift

lock_file="/var/lock/backup.lock"
log_file=""
failed=0

log() {
  local level="$1"
  shift
  printf '%s %-5s %s\n' "$(date +%FT%T)" "$level" "$*"
  if [[ -n "$log_file" ]]; then
    printf '%s %s\n' "$level" "$*" >> "$log_file"
  fi
}

usage() {
  cat <<EOF
usage: backup.sh TARGET DIR...

Copies are kept for $KEEP_DAYS days { and then removed }.
EOF
}

acquire_lock() {
  if mkdir "$lock_file" 2> /dev/null; then
    trap 'rmdir "$lock_file"' EXIT
  else
    log error "another backup is running"
    exit 1
  fi
}

copy_directory() {
  local source="$1"
  local name
  name="$(basename "$source")-$(date +%F).tar.zst"

  if [[ ! -d "$source" ]]; then
    log warn "no such directory: $source"
    return 1
  elif [[ ! -r "$source" ]]; then
    log warn "not readable: $source"
    return 2
  else
    log info "copying $source"
  fi

  tar --create --directory "$source" . \
    | zstd --quiet -10 \
    | ssh "$TARGET" "cat > backups/$name"
}

remove_old() {
  local count=0
  while read -r old; do
    ssh "$TARGET" rm -- "backups/$old"
    count=$((count + 1))
  done < <(ssh "$TARGET" find backups -mtime "+$KEEP_DAYS" -printf '%f\\n')

  log info "removed $count old copies"
}

case "${LOG:-stderr}" in
  file)
    log_file="/var/log/backup.log"
    touch "$log_file"
    ;;
  stderr | "") ;;
  *)
    usage
    exit 2
    ;;
esac

acquire_lock
for directory in "$@"; do
  if ! copy_directory "$directory"; then
    failed=$((failed + 1))
    continue
  fi
  log info "done with $directory"
done

until ssh "$TARGET" true; do
  sleep 30
done

(
  cd /tmp
  rm -f backup-*.partial
)

remove_old
if ((failed > 0)); then
  log error "$failed directories failed"
  exit 1
fi
