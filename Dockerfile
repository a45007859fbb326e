# Not built in this repository's tests, which run where there is no container engine.
#
# It listens on every address of the container, and does not start without DARKROOM_ADMIN_KEY or a key in the database.
FROM node:26-slim
ENV NODE_ENV=production HOST=0.0.0.0 DATA_DIR=/data
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
