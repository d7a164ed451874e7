#!/usr/bin/env bash
# Fuzzes with coverage, on one core and politely, in a network namespace that has nothing but loopback.
#
#   tests/Fuzz/run.sh SECONDS [TARGET...]    each target for SECONDS; findings and the grown corpus in artifacts/fuzz
#   tests/Fuzz/run.sh afl TARGET             the same target under AFL++ (Debian package afl++), until interrupted
set -euo pipefail
cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/../.."
seconds=${1:?seconds or afl}
shift
bin=artifacts/fuzz/bin out=artifacts/fuzz
dotnet build tests/Fuzz/Fuzz.csproj -c Release -v quiet --nologo
mkdir -p "$out"
rm -rf "$bin"
cp -r artifacts/bin/Fuzz/release "$bin"
dotnet "$bin/NicHost.Fuzz.dll" all --instrument "$bin" > /dev/null
((EUID == 0)) && isolated=(unshare --net) || isolated=(unshare --net --map-root-user)
if [[ $seconds == afl ]]; then
  target=${1:?target}
  # .NET reserves far more memory than it uses, and its start is slow: no limit, and a long patience.
  AFL_SKIP_BIN_CHECK=1 AFL_I_DONT_CARE_ABOUT_MISSING_CRASHES=1 AFL_SKIP_CPUFREQ=1 AFL_NO_UI=${AFL_NO_UI-} \
    exec "${isolated[@]}" nice -n 19 afl-fuzz -i "tests/Fuzz/Corpus/$target" -o "$out/afl-$target" -m none -t 10000 -- dotnet "$bin/NicHost.Fuzz.dll" "$target"
fi
(($#)) || set -- all
status=0
for target in "$@"; do
  "${isolated[@]}" nice -n 19 dotnet "$bin/NicHost.Fuzz.dll" "$target" --seconds "$seconds" --output "$out" || status=1
done
exit $status
