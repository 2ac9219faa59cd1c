#!/bin/sh
# Leaves children of every stubborn kind, says "ready" when all run, then ends as told: exit | obey | ignore.
# Usage: orphans.sh FOLDER exit|obey|ignore
folder=$1 ending=$2
mkfifo "$folder/ready"
exec 5<>"$folder/ready"
if [ -n "$HOLD" ]; then exec 6>"$HOLD"; fi
child='trap "" TERM INT HUP; echo up >&5; while :; do sleep 100000; done'
sh -c "$child" "$TOKEN" &
setsid sh -c "$child" "$TOKEN" &
( setsid sh -c "( $child ) &" "$TOKEN" & )
for each in 1 2 3; do read -r up <&5; done
if [ "$ending" = ignore ]; then
  env -i PATH="$PATH" setsid sh -c "$child" "$TOKEN" &
  read -r up <&5
  trap '' TERM
fi
echo ready
case $ending in
  exit) exit 3 ;;
  obey) exec sleep 100000 ;;
  *) while :; do sleep 100000; done ;;
esac
