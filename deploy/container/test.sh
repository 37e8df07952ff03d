#!/usr/bin/env bash
# npm run test:image: builds the Dockerfile as it is and uses the image as its users do, where no Docker daemon runs; then the same for arm64, which is
# built without emulation and run under qemu. Needs root on Debian; installs buildah, podman and qemu-user, and makes stand-ins for the base images,
# where they are missing. Prints the image's size and what it is made of.
set -euo pipefail
cd "$(dirname "$0")/../.."
here=$PWD/deploy/container
image=localhost/sluice:test
base=docker.io/library/node:24-bookworm-slim
arm64_image=localhost/sluice:test-arm64
arm64_base=localhost/arm64/node:24-bookworm-slim

step() { printf '%4ss  %s\n' "$SECONDS" "$*"; }

tools=(buildah podman runc debootstrap fuse-overlayfs)
missing=()
for tool in "${tools[@]}"; do command -v "$tool" >/dev/null 2>&1 || missing+=("$tool"); done
command -v qemu-aarch64-static >/dev/null 2>&1 || missing+=(qemu-user-static)
if [ ${#missing[@]} -gt 0 ]; then
  apt-get update -qq
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
fi

work=$(mktemp -d)
name=sluice-test-$$
arm64=
root=
cleanup() {
  if [ -n "$root" ]; then umount "$root/proc" "$root/dev" 2>/dev/null || true; fi
  [ -z "$arm64" ] || buildah rm "$arm64" >/dev/null 2>&1 || true
  podman rm -f -t 1 "$name" >/dev/null 2>&1 || true
  podman volume rm "$name" >/dev/null 2>&1 || true
  rm -rf "$work"
}
trap cleanup EXIT

# No systemd, and limits that may not be raised in a sandbox.
export CONTAINERS_CONF=$work/containers.conf
cat >"$CONTAINERS_CONF" <<'CONF'
[containers]
default_ulimits = ["nofile=1024:1024", "nproc=1024:1024"]
[engine]
runtime = "runc"
cgroup_manager = "cgroupfs"
events_logger = "file"
CONF

bash "$here/base-image.sh" "$base"
bash "$here/base-image.sh" "$arm64_base" arm64
step "the base images are there"

# build DOCKERFILE ARCH IMAGE
build() {
  buildah build --isolation chroot --network host --pull=never --layers --format docker \
    --platform "linux/$2" --build-arg BUILDPLATFORM=linux/amd64 --build-arg TARGETARCH="$2" -f "$1" -t "$3" . >"$work/build.log" 2>&1 ||
    { tail -40 "$work/build.log"; exit 1; }
}
build Dockerfile amd64 "$image"
step "built, $(podman image inspect "$image" --format '{{.Size}}') bytes, of which the base has $(podman image inspect "$base" --format '{{.Size}}')"
[ "$(podman image inspect "$image" --format '{{.User}}')" = 1000:1000 ]

port=$(node -e 'const s=require("net").createServer().listen(0,()=>{console.log(s.address().port);s.close()})')
mkdir "$work/config"
SLUICE_PORT=$port node "$here/smoke.js" "$work/config" serve-upstream &
upstream=$!
trap 'kill "$upstream" 2>/dev/null || true; cleanup' EXIT
for _ in $(seq 100); do [ -s "$work/config/config.yaml" ] && break; sleep 0.1; done

# As hardened as it gets. Host network, since a sandbox may have none of its own to give.
started=$(date +%s%N)
podman run -d --name "$name" --network host --no-healthcheck --read-only --cap-drop=all --security-opt no-new-privileges \
  -e SERVER_PORT="$port" -v "$work/config:/app/config:ro" -v "$name:/app/logs" "$image" >/dev/null
for _ in $(seq 400); do curl -fsS "http://127.0.0.1:$port/readyz" >/dev/null 2>&1 && break; sleep 0.01; done
curl -fsS "http://127.0.0.1:$port/readyz" >/dev/null || { podman logs "$name"; exit 1; }
step "ready $(( ($(date +%s%N) - started) / 1000000 )) ms after podman run"

[ "$(podman exec "$name" node -p 'process.getuid()')" = 1000 ]
[ "$(podman exec "$name" node -p 'require("fs").readFileSync("/proc/1/status","utf8").match(/Uid:\t(\d+)/)[1]')" = 1000 ]
if podman exec "$name" node -e 'require("fs").writeFileSync("/app/x","")' 2>/dev/null; then echo "/app can be written to"; exit 1; fi
step "non-root, and nothing but /app/logs can be written to"

podman exec "$name" node -e "$(podman image inspect "$image" --format '{{index .HealthCheck.Test 3}}')"
step "its health check says that it is well"

SLUICE_PORT=$port node "$here/smoke.js" "$work/config" check
step "health, chat, stream, hot reload through the mounted folder, and what operators see, at its port and at one of its own"

podman stop -t 20 "$name" >/dev/null
code=$(podman inspect "$name" --format '{{.State.ExitCode}}')
[ "$code" = 0 ] || { podman logs "$name" | tail; echo "exit code $code"; exit 1; }
step "SIGTERM: exit code 0"

rows=$(podman run --rm --network host --no-healthcheck --read-only -v "$name:/app/logs" "$image" audit list --json | wc -l)
[ "$rows" = 4 ] || { echo "$rows rows in the audit, not 4"; exit 1; }
step "the audit on the volume has its 4 rows"

# GPT_API's own line, with only the image's name changed (and no -p, which needs a network of its own).
mkdir "$work/logs"
chown 1000:1000 "$work/logs"
podman run -d --replace --name "$name" --network host --no-healthcheck -v "$work/config/config.yaml:/app/config/config.yaml" -v "$work/logs:/app/logs" \
  -e OPENAI_API_KEY="sk-your-key-here" -e SERVER_PORT="$port" "$image" >/dev/null
for _ in $(seq 400); do curl -fsS "http://127.0.0.1:$port/readyz" >/dev/null 2>&1 && break; sleep 0.01; done
curl -fsS "http://127.0.0.1:$port/health" >/dev/null
[ -s "$work/logs/record.db" ]
podman stop -t 20 "$name" >/dev/null
step "GPT_API's docker run line works"

mkdir "$work/roots"
if podman run --rm --network host --no-healthcheck -e SERVER_PORT="$port" -v "$work/roots:/app/logs" "$image" >"$work/refusal" 2>&1; then exit 1; fi
grep -q "chown" "$work/refusal" || { cat "$work/refusal"; exit 1; }
step "a folder that it may not write to: $(grep chown "$work/refusal")"

# arm64: the last stage alone is of that processor, and nothing is run in it. A local image is of one processor, so the base has another name here.
# shellcheck disable=SC2016
sed 's|^FROM ${NODE_IMAGE}$|FROM --platform=linux/arm64 '"$arm64_base|" Dockerfile >"$work/Dockerfile.arm64"
build "$work/Dockerfile.arm64" arm64 "$arm64_image"
arm64=$(buildah from --pull-never "$arm64_image" 2>/dev/null)
root=$(buildah mount "$arm64")
cp "$(command -v qemu-aarch64-static)" "$root/usr/bin/"
mount -t proc proc "$root/proc"
mount --bind /dev "$root/dev"
# As the image's user, in its files, without the kernel's knowing of another processor.
arm64_env=(env CONFIG_PATH=/app/config/config.yaml AUDIT_URL=sqlite:/app/logs/record.db SERVER_PORT="$port")
arm64_sluice=(chroot --userspec=1000:1000 "$root" /usr/bin/qemu-aarch64-static /usr/local/bin/node /app/dist/sluice.js)
kill "$upstream" 2>/dev/null || true
rm "$root/app/config/config.yaml"
SLUICE_PORT=$port node "$here/smoke.js" "$root/app/config" serve-upstream &
upstream=$!
for _ in $(seq 100); do [ -s "$root/app/config/config.yaml" ] && break; sleep 0.1; done
"${arm64_env[@]}" "${arm64_sluice[@]}" serve >"$work/arm64-serve.log" 2>&1 &
served=$!
for _ in $(seq 600); do curl -fsS "http://127.0.0.1:$port/readyz" >/dev/null 2>&1 && break; sleep 0.1; done
SLUICE_PORT=$port node "$here/smoke.js" "$root/app/config" check || { cat "$work/arm64-serve.log"; exit 1; }
kill -TERM "$served"
wait "$served" || { tail "$work/arm64-serve.log"; exit 1; }
rows=$("${arm64_env[@]}" "${arm64_sluice[@]}" audit list --json | wc -l)
[ "$rows" = 4 ] || { echo "$rows rows in the audit of arm64, not 4"; exit 1; }
step "arm64, under qemu: health, chat, stream, hot reload, SIGTERM and exit code 0, 4 rows in its audit"
step "all is well"
