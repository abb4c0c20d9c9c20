# Build the image of the manager: the same files as `make image` puts into it.
# The builder runs on the machine's own platform and compiles for the other, which
# takes BuildKit (Docker has it since version 23) or podman.
FROM --platform=$BUILDPLATFORM golang:1.26 AS builder
ARG TARGETOS
ARG TARGETARCH
ARG VERSION=dev
ARG SOURCE_DATE_EPOCH=0

WORKDIR /workspace

# Modules come first: this layer stays valid until they change.
COPY go.mod go.sum ./
COPY hack/image/go.mod hack/image/go.sum hack/image/
RUN go mod download && go mod download -C hack/image

# .dockerignore lets in what the manager is built from, and what describes it.
COPY . .

RUN CGO_ENABLED=0 GOOS=${TARGETOS:-linux} GOARCH=${TARGETARCH} \
    go build -trimpath -buildvcs=false -ldflags "-s -w -X main.version=${VERSION}" -o manager ./cmd && \
    go run -C hack/image . --sbom --version="${VERSION}" --created="${SOURCE_DATE_EPOCH}" \
        --output=/workspace/sbom.cdx.json /workspace/manager

# Nothing else is needed: the program is static, and trusts the API server by the
# authority in its Pod.
FROM scratch
ARG VERSION=dev
ARG REVISION=
ARG SOURCE=
ARG CREATED=1970-01-01T00:00:00Z
LABEL org.opencontainers.image.title="servicenet" \
    org.opencontainers.image.version="${VERSION}" \
    org.opencontainers.image.revision="${REVISION}" \
    org.opencontainers.image.source="${SOURCE}" \
    org.opencontainers.image.created="${CREATED}" \
    dev.servicenet.sbom="/sbom.cdx.json"
WORKDIR /
COPY --from=builder /workspace/manager /workspace/sbom.cdx.json /
USER 65532:65532

ENTRYPOINT ["/manager"]
