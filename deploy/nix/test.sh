#!/usr/bin/env bash
# npm run test:flake: parses flake.nix, evaluates its outputs for all systems and lists them, then builds the package and runs it, where nixpkgs itself
# cannot be had: deploy/nix/nixpkgs-stub has just the names the flake uses. With `evaluate` it builds nothing. Needs root on Debian; installs nix-bin.
set -euo pipefail
cd "$(dirname "$0")/../.."
stub=$PWD/deploy/nix/nixpkgs-stub
# Where the stub's derivations find node, npm and certificates.
place=/var/tmp/sluice-nix

command -v nix >/dev/null 2>&1 || {
  apt-get update -qq
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends nix-bin >/dev/null
}
export NIX_CONFIG="experimental-features = nix-command flakes
build-users-group =
substitute = false
sandbox = true
sandbox-fallback = false
sandbox-paths = /bin /usr /lib /lib64 /etc/alternatives $place
max-jobs = 2
warn-dirty = false"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
options=(--no-write-lock-file --override-input nixpkgs "path:$stub")

nix-instantiate --parse flake.nix >/dev/null
echo "flake.nix parses"
nix flake check --no-build "${options[@]}" . 2>"$work/log" || { tail -40 "$work/log"; exit 1; }
nix flake show --json "${options[@]}" . 2>/dev/null | node deploy/nix/outputs.js
[ "${1:-}" = evaluate ] && exit 0

arch=$(node -p 'process.arch')
if [ ! -x $place/node/bin/node ]; then
  rm -rf "$place"
  mkdir -p $place/node/lib/node_modules/npm $place/cacert/etc/ssl/certs
  (
    cd "$place"
    npm pack --silent "node-linux-$arch@24" npm@11 >/dev/null
    tar -xzf node-linux-*.tgz --strip-components=1 -C node
    tar -xzf npm-*.tgz --strip-components=1 -C node/lib/node_modules/npm
    rm -f ./*.tgz
  )
  chmod 755 $place/node/bin/node $place/node/lib/node_modules/npm/bin/*.js
  ln -s ../lib/node_modules/npm/bin/npm-cli.js $place/node/bin/npm
  cp /etc/ssl/certs/ca-certificates.crt $place/cacert/etc/ssl/certs/ca-bundle.crt
fi
nix build "${options[@]}" -o "$work/result" . 2>"$work/log" || { tail -40 "$work/log"; exit 1; }
echo "built $(readlink "$work/result")"
"$work/result/bin/sluice" --version
nix build "${options[@]}" --rebuild . 2>"$work/log" || { tail -40 "$work/log"; exit 1; }
echo "built again, to the same bits"
