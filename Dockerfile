# Build the manager.
FROM golang:1.26 AS builder
ARG TARGETOS
ARG TARGETARCH
ARG VERSION=dev

WORKDIR /workspace

# Modules come first: this layer stays valid until they change.
COPY go.mod go.sum ./
RUN go mod download

# .dockerignore lets in what the manager is built from, and nothing else.
COPY . .

# TARGETARCH has no default, so that the image fits the machine it is built on
# unless --platform says otherwise.
RUN CGO_ENABLED=0 GOOS=${TARGETOS:-linux} GOARCH=${TARGETARCH} \
    go build -trimpath -ldflags "-s -w -X main.version=${VERSION}" -o manager ./cmd

FROM gcr.io/distroless/static:nonroot
WORKDIR /
COPY --from=builder /workspace/manager .
USER 65532:65532

ENTRYPOINT ["/manager"]
