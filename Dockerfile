# Not built in this repository's tests, which run where there is no container engine.
#
# There are no API keys yet, so the server listens on loopback addresses only (src/config/host.ts). In a container that
# means: run it with the host's network, or beside a proxy in the same pod that lets in only whom you trust. A published
# port alone reaches nothing.
FROM node:26-slim
ENV NODE_ENV=production DATA_DIR=/data
WORKDIR /app
COPY package.json package-lock.json ./
COPY tools ./tools
RUN npm ci --omit=dev && mkdir /data && chown node:node /data
COPY bin ./bin
COPY src ./src
COPY drizzle ./drizzle
USER node
VOLUME /data
# Calls under way are paid for: give them the time they take, see docs/operating.md.
STOPSIGNAL SIGTERM
CMD ["node", "bin/darkroom.js", "serve"]
