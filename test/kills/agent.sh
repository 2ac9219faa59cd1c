#!/bin/sh
# The agent of the kill test: a few milliseconds of work, unique content, and a line outside for each start.
# KILLS_LOG is a folder outside the repository, KILLS_PLAN one with a file of settings for each task.
exec 9>>"$KILLS_LOG/busy-$CHOO_UNIT"
flock -n 9 || echo "two agents at once work on $CHOO_UNIT: $CHOO_TASK, attempt $CHOO_ATTEMPT" >> "$KILLS_LOG/violations"
echo "$CHOO_RUN $CHOO_UNIT $CHOO_TASK $CHOO_ATTEMPT" >> "$KILLS_LOG/attempts"

if [ "$CHOO_TASK" = conflict ]; then
  # Both sides are right: only the markers go.
  sleep 0.02
  for file in shared/*.txt; do sed -i -e '/^<<<<<<< /d' -e '/^=======$/d' -e '/^>>>>>>> /d' -e '/^||||||| /d' "$file"; done
  exit 0
fi
[ -f "$KILLS_PLAN/$CHOO_UNIT-$CHOO_TASK" ] || exit 0
kind=plain first=0 second=0 shared='' fails='' waits=''
. "$KILLS_PLAN/$CHOO_UNIT-$CHOO_TASK"
me="$CHOO_UNIT/$CHOO_TASK"
out="out/$CHOO_UNIT-$CHOO_TASK.txt"
mkdir -p out
if [ -n "$waits" ] && [ ! -e "$KILLS_LOG/go" ]; then
  echo "not yet" > "scrap-$CHOO_UNIT.txt"
  exit 0
fi
rm -f "scrap-$CHOO_UNIT.txt"
if [ -n "$fails" ] && [ ! -e "$KILLS_LOG/failed-$CHOO_UNIT-$CHOO_TASK" ]; then
  : > "$KILLS_LOG/failed-$CHOO_UNIT-$CHOO_TASK"
  echo "wrong" > "$out"
  exit 0
fi
echo "half of $me" > "$out"
sleep "$first"
[ -z "$shared" ] || grep -qxF "$me" "shared/$shared.txt" || echo "$me" >> "shared/$shared.txt"
echo "$me" > "$out"
case $kind in
  commits) git add out shared && git commit -q -m "agent: $me" ;;
  leaves) sleep 5 & ;;
esac
sleep "$second"
