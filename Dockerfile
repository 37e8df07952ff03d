# The image people run. Nothing is run in its last stage and the database addon comes compiled for every platform, so that it builds for another
# processor without emulation: `docker buildx build --platform linux/amd64,linux/arm64 .`

# The current LTS. A tag moves: the release resolves it to a digest once, and builds from that (.github/workflows/release.yml). By hand:
# --build-arg NODE_IMAGE=node:24-bookworm-slim@sha256:…
ARG NODE_IMAGE=node:24-bookworm-slim

# The programs are JavaScript, the same for all platforms: made on that of the builder.
FROM --platform=$BUILDPLATFORM ${NODE_IMAGE} AS build
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
RUN npm ci --ignore-scripts
COPY tsconfig.json ./
COPY scripts ./scripts
COPY src ./src
COPY dashboard ./dashboard
RUN node scripts/build.js shipped

# Of all dependencies only the addon is not in the programs; of it, what is for this platform.
FROM --platform=$BUILDPLATFORM ${NODE_IMAGE} AS addon
ARG TARGETARCH
WORKDIR /app
COPY --from=build /app/node_modules/better-sqlite3 ./node_modules/better-sqlite3
RUN cd node_modules/better-sqlite3 \
 && arch=$([ "${TARGETARCH:-amd64}" = arm64 ] && echo arm64 || echo x64) \
 && mkdir keep && mv package.json LICENSE lib keep/ && mkdir keep/prebuilds && mv "prebuilds/linux-$arch.node" keep/prebuilds/ \
 && find . -mindepth 1 -maxdepth 1 ! -name keep -exec rm -rf {} + \
 && mv keep/* . && rmdir keep \
 && mkdir -p /app/logs

FROM ${NODE_IMAGE}
ARG VERSION=0.1.0
ARG REVISION=unknown
LABEL org.opencontainers.image.title="Sluice" \
      org.opencontainers.image.description="A self-hosted LLM gateway: one address for OpenAI's and Anthropic's APIs in front of many model providers." \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}"
ENV NODE_ENV=production LOG_FORMAT=json
WORKDIR /app
COPY --from=addon /app/node_modules ./node_modules
COPY --from=build /app/dist ./dist
COPY package.json LICENSE ./
# What runs without a mount: examples, never the config.yaml of whoever builds, which may hold keys.
COPY config/example.yaml config/config.schema.json deploy/container/config.yaml ./config/
COPY --from=addon --chown=1000:1000 /app/logs ./logs
USER 1000:1000
VOLUME ["/app/logs"]
EXPOSE 8000
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=30s --timeout=5s --start-period=10s --retries=3 \
  CMD ["node", "-e", "fetch(`http://127.0.0.1:${process.env.SERVER_PORT||8000}/livez`).then(r=>process.exit(r.ok?0:1),()=>process.exit(1))"]
# Node itself is the first process: it hears SIGTERM and drains.
ENTRYPOINT ["node", "/app/dist/sluice.js"]
CMD ["serve"]
