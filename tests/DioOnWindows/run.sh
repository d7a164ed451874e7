#!/usr/bin/env bash
# Runs the dio plugin as Windows runs it, under Wine: builds stand-ins for vmsif.dll and computenetwork.dll, puts them where Windows has its own, and
# starts the program that `dotnet build` made. Prints its lines; exit code 0 when every check is ok. Needs wine64 and gcc-mingw-w64-x86-64-win32.
#
#   run.sh PROGRAM.exe
set -euo pipefail
here="$(cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")" && pwd)"
program="$(readlink -f "$1")"
wine=/usr/lib/wine/wine64
[[ -x $wine ]] || { echo "run.sh: needs wine64" >&2; exit 2; }
work="$(mktemp -d "${TMPDIR:-/tmp}/dio-on-windows.XXXXXX")"
export WINEPREFIX="$work/prefix" WINEDEBUG=-all
unset DISPLAY WAYLAND_DISPLAY

finish() {
  # Only the server of this prefix.
  timeout 60 /usr/lib/wine/wineserver64 -k || true
  timeout 60 /usr/lib/wine/wineserver64 -w || true
  rm -rf "$work"
}
trap finish EXIT

# Without its own .NET and HTML, which it would fetch. The program itself needs the loader's mscoree.dll: without it no assembly is loaded.
WINEDLLOVERRIDES='mscoree,mshtml=' timeout 300 "$wine" wineboot -i > "$work/wineboot.log" 2>&1 || { cat "$work/wineboot.log" >&2; exit 2; }
for library in vmsif computenetwork; do
  x86_64-w64-mingw32-gcc -O2 -Wall -Wextra -Werror -shared -o "$WINEPREFIX/drive_c/windows/system32/$library.dll" "$here/standin/$library.c" -lole32
done
timeout 600 "$wine" "$program"
