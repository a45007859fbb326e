# Not built by the tests, which run where there is no container engine.
#
# Listens on all addresses of the container. Requires DARKROOM_ADMIN_KEY or an API key in the database to start.
FROM node:26-slim AS build
WORKDIR /build
COPY . .
RUN npm ci && npm run build && npm pack --pack-destination /tmp

FROM node:26-slim
ENV NODE_ENV=production HOST=0.0.0.0 DATA_DIR=/data
# A fifth less memory under large results, see docs/operating.md.
ENV NODE_OPTIONS=--max-semi-space-size=8 MALLOC_ARENA_MAX=2
WORKDIR /app
COPY --from=build /tmp/darkroom-*.tgz /tmp/
# No dependency needs an install script.
RUN npm install --ignore-scripts --no-audit --no-fund /tmp/darkroom-*.tgz \
  && npm cache clean --force && rm /tmp/darkroom-*.tgz \
  && mkdir /data && chown node:node /data
USER node
VOLUME /data
EXPOSE 4000
# /livez rather than /readyz: a restart does not help against a full disk, and aborts paid calls.
HEALTHCHECK --interval=10s --timeout=3s --start-period=30s \
  CMD ["node", "-e", "fetch('http://127.0.0.1:' + (process.env.PORT || 4000) + '/livez').then((r) => process.exit(r.ok ? 0 : 1), () => process.exit(1))"]
# Calls in progress are paid: give them time to end, see docs/operating.md.
STOPSIGNAL SIGTERM
CMD ["node", "node_modules/darkroom/bin/darkroom.js", "serve"]
