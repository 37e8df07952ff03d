#!/usr/bin/env bash
# A stand-in for the Node image that the Dockerfile begins with, for machines that reach no image registry: Debian by debootstrap from the mirror
# this machine uses, Node and npm from their npm packages. Does nothing where there is such an image already. Wants root, buildah and debootstrap.
#
#   base-image.sh [IMAGE [ARCH]]     of another processor (amd64, arm64) than this one's it is unpacked, not set up: nothing of it can run here
set -euo pipefail
image=${1:-docker.io/library/node:24-bookworm-slim}
own_arch=$(dpkg --print-architecture)
arch=${2:-$own_arch}
version=${image##*:}
major=${version%%-*}
suite=${version#*-}
suite=${suite%-slim}
if buildah inspect --type image "$image" >/dev/null 2>&1; then
  exit 0
fi
case $arch in
  arm64) npm_arch=arm64 ;;
  *) npm_arch=x64 ;;
esac
foreign=()
[ "$arch" = "$own_arch" ] || foreign=(--foreign)
work=$(mktemp -d)
container=
cleanup() {
  if [ -n "$container" ]; then buildah rm "$container" >/dev/null 2>&1 || true; fi
  rm -rf "$work"
}
trap cleanup EXIT

mirror=$(awk '/^URIs:/ {print $2; exit} /^deb / {print $2; exit}' /etc/apt/sources.list.d/debian.sources /etc/apt/sources.list 2>/dev/null || true)
echo "making a stand-in for $image"
debootstrap "${foreign[@]}" --arch="$arch" --variant=minbase --include=ca-certificates,libstdc++6,libatomic1 "$suite" "$work/root" "$mirror" >"$work/log" 2>&1 ||
  { tail -20 "$work/log"; exit 1; }
if [ ${#foreign[@]} -gt 0 ]; then
  for package in "$work"/root/var/cache/apt/archives/*.deb; do dpkg-deb -x "$package" "$work/root"; done
  cat /etc/ssl/certs/ca-certificates.crt >"$work/root/etc/ssl/certs/ca-certificates.crt"
fi
rm -rf "$work"/root/var/cache/apt/* "$work"/root/var/lib/apt/lists/* "$work"/root/usr/share/{doc,man,locale,info}/*

cd "$work"
npm pack --silent "node-linux-$npm_arch@$major" npm@11 >/dev/null
mkdir node npm
tar -xzf node-linux-*.tgz --strip-components=1 -C node
tar -xzf npm-*.tgz --strip-components=1 -C npm

local_tree=$work/root/usr/local
install -D -m755 node/bin/node "$local_tree/bin/node"
mkdir -p "$local_tree/lib/node_modules" "$local_tree/etc"
cp -a npm "$local_tree/lib/node_modules/npm"
for name in npm npx; do
  chmod 755 "$local_tree/lib/node_modules/npm/bin/$name-cli.js"
  ln -s "../lib/node_modules/npm/bin/$name-cli.js" "$local_tree/bin/$name"
done
echo 'node:x:1000:' >>"$work/root/etc/group"
echo 'node:x:1000:1000::/home/node:/bin/bash' >>"$work/root/etc/passwd"
install -d -o 1000 -g 1000 "$work/root/home/node"
# The builder's own trust, where it goes out through a proxy.
if [ -e /etc/ssl/certs/ca-certificates.crt ]; then
  cp /etc/ssl/certs/ca-certificates.crt "$work/root/etc/ssl/certs/ca-certificates.crt"
  echo cafile=/etc/ssl/certs/ca-certificates.crt >"$local_tree/etc/npmrc"
fi

container=$(buildah from scratch)
mount=$(buildah mount "$container")
cp -a "$work/root/." "$mount/"
buildah umount "$container" >/dev/null
buildah config --os linux --arch "$arch" --env PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
  --cmd '["node"]' "$container"
buildah commit -q --format docker "$container" "$image" >/dev/null
