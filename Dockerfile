# Vaultpane's Linux images, for systems with a container engine. Released images, those for Windows among them, come from
# `make images`, which needs no engine and is reproducible; docs/release.md says how both differ.
#
#   docker buildx build --target controller --platform linux/amd64,linux/arm64 -t vaultpane-controller .
#   docker buildx build --target agent      --platform linux/amd64,linux/arm64 -t vaultpane-agent:linux .

# The Go of go.mod.
FROM --platform=$BUILDPLATFORM golang:1.26.8-alpine3.24@sha256:b6890e35ded5d19118c2bca3d7754dc4e6f694aac2d0aeb92f9807c2879e4230 AS build
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download
COPY . .
ARG TARGETOS TARGETARCH VERSION=dev
ENV CGO_ENABLED=0 GOOS=$TARGETOS GOARCH=$TARGETARCH
RUN for command in agent controller; do \
      go build -trimpath -buildvcs=false -ldflags "-s -w -X main.version=$VERSION" -o /out/vaultpane-$command ./cmd/$command || exit 1; \
    done

FROM gcr.io/distroless/static-debian12:nonroot@sha256:b7bb25d9f7c31d2bdd1982feb4dafcaf137703c7075dbe2febb41c24212b946f AS controller
COPY --from=build /src/LICENSE /LICENSE
COPY --from=build /out/vaultpane-controller /vaultpane-controller
ARG VERSION=dev
LABEL org.opencontainers.image.title="vaultpane-controller" \
      org.opencontainers.image.source="https://github.com/vaultpane/vaultpane" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="$VERSION"
WORKDIR /
USER 65532:65532
ENTRYPOINT ["/vaultpane-controller"]

FROM gcr.io/distroless/static-debian12:nonroot@sha256:b7bb25d9f7c31d2bdd1982feb4dafcaf137703c7075dbe2febb41c24212b946f AS agent
COPY --from=build /src/LICENSE /LICENSE
COPY --from=build /out/vaultpane-agent /vaultpane-agent
ARG VERSION=dev
LABEL org.opencontainers.image.title="vaultpane-agent" \
      org.opencontainers.image.source="https://github.com/vaultpane/vaultpane" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="$VERSION"
WORKDIR /
USER 65532:65532
ENTRYPOINT ["/vaultpane-agent"]
