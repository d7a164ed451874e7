#!/bin/bash
# Builds the initramfs of a real test guest and prints its path.
#
#   tests/Guests/build-image.sh qemu|uml|hyperv
#
# qemu: for Debian's cloud kernel under QEMU; uml: for Debian's User Mode Linux; hyperv: as qemu, with
# the kernel's own Hyper-V drivers and what stands in for the hypervisor (./hyperv). The content is
# busybox, a few real network tools with their libraries, the kernel modules of the NIC, and
# the scripts of ./guest. A second call finds the image by the hash of what went into it.
# Not compressed: under software emulation unpacking costs more than loading.
set -euo pipefail
export LC_ALL=C
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
out_dir=${NICHOST_GUESTS_DIR:-$(cd "$here/../.." && pwd)/artifacts/guests}

die() { echo "build-image.sh: $*" >&2; exit 1; }

kind=${1:-}
on_demand= # modules that are there and not loaded
case $kind in
  qemu|hyperv)
    kernel=$(ls /boot/vmlinuz-*-cloud-amd64 2>/dev/null | sort -V | tail -1)
    [[ -n $kernel ]] || die "no /boot/vmlinuz-*-cloud-amd64: install linux-image-cloud-amd64"
    version=${kernel#/boot/vmlinuz-}
    tree=/lib/modules/$version
    modules="virtio_pci virtio_net"
    [[ $kind == hyperv ]] && modules="nichost_hv hv_vmbus hv_netvsc"
    on_demand="8021q" ;;
  uml)
    tree=$(ls -d /usr/lib/uml/modules/* 2>/dev/null | sort -V | tail -1)
    [[ -n $tree ]] || die "no /usr/lib/uml/modules: install user-mode-linux"
    version=${tree##*/}
    modules="ipv6 virtio_net" ;;
  *) die "usage: build-image.sh qemu|uml|hyperv" ;;
esac

programs="/usr/bin/dash /usr/bin/perl /usr/bin/curl /usr/bin/getent /usr/bin/iperf3 /usr/bin/nc.openbsd
  /usr/bin/ping /usr/bin/tcpdump /usr/bin/tracepath /usr/sbin/dhclient /usr/sbin/ethtool /usr/bin/ip /usr/bin/ss"
declare -A source=()
for p in $programs; do
  for candidate in "$p" "${p#/usr}" "/usr/sbin/${p##*/}" "/sbin/${p##*/}"; do
    [[ -x $candidate ]] && { source[$p]=$(readlink -f "$candidate"); break; }
  done
  [[ -n ${source[$p]:-} ]] || die "$p is missing: the packages are listed in tests/Guests/packages.txt"
done
busybox=$(command -v busybox) || die "busybox is missing: install busybox-static"
! ldd "$busybox" >/dev/null 2>&1 || die "$busybox is not static: install busybox-static"

# What the image depends on: these scripts, the kernel, and the programs by inode change and size.
key=$({
  sha256sum "$here/build-image.sh" "$here"/guest/* "$here"/hyperv/* | sed 's| .*/| |'
  echo "$version"
  stat -L -c '%n %s %Y' "$busybox" "${source[@]}" "$tree/modules.dep" | sort
} | sha256sum | cut -c1-16)
image=$out_dir/$kind-$key.cpio
[[ -s $image ]] && { echo "$image"; exit 0; }

mkdir -p "$out_dir"
exec 9>"$out_dir/.lock"
flock -w 300 9 || die "another build holds $out_dir/.lock"
[[ -s $image ]] && { echo "$image"; exit 0; }

root=$(mktemp -d "$out_dir/.root.XXXXXX")
trap 'rm -rf "$root" "$image.part"' EXIT
mkdir -p "$root"/{bin,dev,etc,lib,lib64,proc,root,run,sys,tmp,usr/bin,usr/sbin,usr/lib,var/lib/dhcp,var/run}

# Programs and the shared objects that they name, at the paths that they have here.
add_libraries() {
  { ldd "$1" 2>/dev/null | grep -o '/[^ ]*' || true; } | while read -r so; do
    [[ -e $root$so ]] || install -D -m755 "$(readlink -f "$so")" "$root$so"
  done
}
for p in "${!source[@]}"; do
  install -D -m755 "${source[$p]}" "$root$p"
  add_libraries "${source[$p]}"
done
ln -s nc.openbsd "$root/usr/bin/nc"
perl_base=/usr/lib/x86_64-linux-gnu/perl-base
[[ -d $perl_base ]] || die "$perl_base is missing: install perl-base"
mkdir -p "$root$perl_base"
(cd "$perl_base" && tar -cf - --exclude=unicore .) | tar -xf - -C "$root$perl_base"
find "$root$perl_base" -name '*.so' | while read -r so; do add_libraries "$so"; done

# busybox for the rest. Its shell would prefer its own applets to the programs above: dash is sh.
install -m755 "$busybox" "$root/bin/busybox"
for applet in $("$busybox" --list); do
  case $applet in
    sh|ash|ip|nc|ping|ping6|ss|busybox) ;;
    *) ln -s busybox "$root/bin/$applet" ;;
  esac
done
ln -s ../usr/bin/dash "$root/bin/sh"
# dhclient runs its script with this path when none is given, and wants a shell there.
ln -s ../usr/bin/ip "$root/bin/ip"

# Modules with what they depend on, in a tree of their own so that modprobe works.
to="$root/lib/modules/$version"
mkdir -p "$to"
cp "$tree/modules.builtin" "$tree/modules.order" "$to/"
[[ -e $tree/modules.builtin.modinfo ]] && cp "$tree/modules.builtin.modinfo" "$to/"
# What stands in for the hypervisor, against the headers of the kernel that it runs in.
if [[ $kind == hyperv ]]; then
  [[ -d $tree/build ]] || die "no $tree/build: install linux-headers-cloud-amd64"
  mkdir -p "$root/build"
  cp "$here"/hyperv/{Makefile,nichost_hv.c} "$root/build"
  make -s -C "$tree/build" M="$root/build" modules > "$out_dir/hyperv-module.log" 2>&1 || { cat "$out_dir/hyperv-module.log" >&2; die "nichost_hv does not build"; }
  install -D -m644 "$root/build/nichost_hv.ko" "$to/extra/nichost_hv.ko"
  rm -r "$root/build"
fi
for m in $modules $on_demand; do
  line=$(grep -E "/$m\.ko(\.xz|\.zst|\.gz)?:" "$tree/modules.dep") || continue # built in
  for file in ${line/:/ }; do
    [[ -e $to/$file ]] || install -D -m644 "$tree/$file" "$to/$file"
  done
done
PATH=$PATH:/sbin:/usr/sbin depmod -b "$root" "$version"
echo "$modules" > "$root/etc/boot-modules"

echo 'hosts: files dns' > "$root/etc/nsswitch.conf"
echo 'root:x:0:0:root:/root:/bin/sh' > "$root/etc/passwd"
echo 'root:x:0:' > "$root/etc/group"
printf '127.0.0.1 localhost\n::1 localhost\n' > "$root/etc/hosts"
install -m755 "$here/guest/init" "$root/init"
install -m755 "$here"/guest/{net-up,dhcp4-script,dhcp6-script,nettool} "$root/usr/bin/"

(cd "$root" && find . -print0 | sort -z | cpio --null -o -H newc --quiet) > "$image.part"
find "$out_dir" -maxdepth 1 -name "$kind-*.cpio" -delete
mv "$image.part" "$image"
echo "$image"
