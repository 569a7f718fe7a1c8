# syntax=docker/dockerfile:1

FROM node:24-bookworm-slim AS build
WORKDIR /app
COPY package.json package-lock.json ./
RUN npm ci
COPY . .
RUN npm run build && npm prune --omit=dev && rm -rf build/test build/bench build/scripts build/examples

FROM node:24-bookworm-slim
ENV NODE_ENV=production \
    BULKHEAD_HOST=0.0.0.0 \
    BULKHEAD_DATABASE_URL=sqlite:/data/bulkhead.db \
    BULKHEAD_EXPORT_DIR=/data/exports
WORKDIR /app
COPY --from=build /app/package.json /app/LICENSE /app/README.md ./
COPY --from=build /app/node_modules node_modules
COPY --from=build /app/build build
RUN mkdir /data && chown node:node /data
USER node
VOLUME /data
EXPOSE 8080
HEALTHCHECK --interval=10s --timeout=3s --start-period=20s --retries=3 \
  CMD ["node", "-e", "fetch(`http://127.0.0.1:${process.env.BULKHEAD_PORT || 8080}/readyz`).then((r) => process.exit(r.ok ? 0 : 1), () => process.exit(1))"]
STOPSIGNAL SIGTERM
ENTRYPOINT ["node", "--enable-source-maps", "build/src/cli/main.js"]
CMD ["serve"]
