# Penstock's image: the three programs, the shared objects that they need, and nothing to run but them.
#
#   docker build -t penstock:0.1.0 .
#   docker build --target sbom --output type=local,dest=. .        # penstock.spdx.json, what is inside
#
# For another architecture name the platform: the build takes what it needs from the platform's own base image.

FROM swift:6.3-bookworm AS build
WORKDIR /src
COPY deploy/packages.txt deploy/install-packages.sh deploy/
RUN deploy/install-packages.sh build runtime
COPY Package.swift ./
COPY Sources Sources
# The tests' folders are not here, so the package must not name them.
RUN PROGRAMS_ONLY=1 swift build -c release --static-swift-stdlib --omit-frame-pointers
COPY deploy/image deploy/image
ARG VERSION=0.1.0
ARG SOURCE_DATE_EPOCH
RUN deploy/image/assemble.sh .build/release /root-of-image \
    && deploy/image/sbom.sh /root-of-image "$VERSION" "$SOURCE_DATE_EPOCH" >/penstock.spdx.json \
    && install -m 644 -D /penstock.spdx.json /root-of-image/usr/share/doc/penstock/penstock.spdx.json

FROM scratch AS sbom
COPY --from=build /penstock.spdx.json /

FROM scratch
ARG VERSION=0.1.0
ARG REVISION=unknown
ARG CREATED=1970-01-01T00:00:00Z
LABEL org.opencontainers.image.title="Penstock" \
      org.opencontainers.image.description="Governs what leaves an AI agent's pod: penstock-init, penstockd, penstock" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.vendor="Penstock" \
      org.opencontainers.image.version="$VERSION" \
      org.opencontainers.image.revision="$REVISION" \
      org.opencontainers.image.created="$CREATED"
COPY --from=build /root-of-image/ /
# The daemon's own user and group, the same as in penstock-init's --proxy-uid and --proxy-gid.
USER 10880:10880
ENV PATH=/usr/local/bin
STOPSIGNAL SIGTERM
ENTRYPOINT ["/usr/local/bin/penstockd"]
CMD ["--config", "/etc/penstock/config/penstock.yaml"]
