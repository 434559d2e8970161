#!/usr/bin/env bash
# Sets up, builds and runs every test. The last line says how many passed, failed and skipped.
#
#   scripts/test.sh [--torch DIR] [--cuda] [-DNAME=VALUE...] [CTEST ARGUMENTS...]
#   scripts/test.sh -L unit          only the quick ones
#
# VOSTRACK_PRESET names another preset, such as asan.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

if [[ ${1:-} == -h || ${1:-} == --help ]]; then
  usage "$0"
  exit
fi
preset=${VOSTRACK_PRESET:-release}
split_arguments "$@"
"$root/scripts/build.sh" ${setup_arguments[@]+"${setup_arguments[@]}"} \
  ${cmake_arguments[@]+"${cmake_arguments[@]}"} -DVOSTRACK_TESTS=ON

# Threads that wait must not spin: tests run side by side on as many cores as each would take.
export OMP_WAIT_POLICY=${OMP_WAIT_POLICY:-PASSIVE}
results=$root/build/$preset/tests.xml
rm -f "$results"
status=0
export TSAN_OPTIONS="suppressions=$root/tests/tsan.supp:${TSAN_OPTIONS:-}"
ctest --test-dir "$root/build/$preset" -j2 --output-on-failure --no-tests=error \
  --output-junit "$results" ${rest_arguments[@]+"${rest_arguments[@]}"} || status=$?
[[ -s $results ]] || die "no test ran, see above"

python3 - "$results" "$status" <<'PYTHON'
import sys
import xml.etree.ElementTree as ElementTree

passed, failed, skipped = [], [], []
for case in ElementTree.parse(sys.argv[1]).iter("testcase"):
    status, note = case.get("status"), case.find("skipped")
    if status == "run":
        passed.append(case)
    elif status == "disabled" or (note is not None and note.get("message", "").startswith("SKIP_")):
        skipped.append(case)
    else:  # a test that could not even start has failed
        failed.append(case)
for case in skipped:
    print("skipped:", case.get("name"))
for case in failed:
    print("failed:", case.get("name"))
print(f"{len(passed)} passed, {len(failed)} failed, {len(skipped)} skipped")
sys.exit(1 if failed or int(sys.argv[2]) else 0)
PYTHON
