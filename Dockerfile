# ddn in an image, for CPUs or CUDA:
#
#   docker build --tag ddn .
#   docker build --tag ddn:cuda --build-arg FLAVOUR=cu130 .
#   docker run --rm --user "$(id -u)" --volume "$PWD:/work" ddn generate
#   docker run --rm --gpus all --user "$(id -u)" --volume "$PWD:/work" ddn:cuda train --device cuda
#
# scripts/try-dockerfile runs these commands in a clean root, without Docker.
ARG SWIFT=6.2

FROM swift:${SWIFT}-bookworm AS build
# Of libtorch, as a folder of PyTorch's wheels: cpu, cu126, cu130 and others; TORCH_INDEX names another server.
ARG FLAVOUR=cpu
ARG TORCH_INDEX=https://download.pytorch.org/whl/${FLAVOUR}
# What `ddn --version` says: .dockerignore leaves git's folder out.
ARG COMMIT=unknown
ENV DDN_CACHE=/opt/ddn-cache
# What scripts/setup would install, and pip.
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install --yes --no-install-recommends ca-certificates cmake fonts-dejavu-core g++ git libmimalloc-dev \
       libvips-dev make pkg-config python3 python3-pip unzip zlib1g-dev \
    && rm -rf /var/lib/apt/lists/*
WORKDIR /src
# First what libtorch and libCTorch are made from, so that other changes keep this layer.
COPY Makefile ./
COPY scripts scripts
COPY Sources/CTorch Sources/CTorch
COPY Sources/CTorchShim Sources/CTorchShim
RUN PIP_INDEX_URL="$TORCH_INDEX" make setup
COPY . .
# An installation on CUDA uses libtorch in place; on CPUs it has a copy.
RUN DDN_COMMIT="$COMMIT" make install PREFIX=/opt/ddn \
    && rm -rf "$DDN_CACHE"/libtorch-*/torch/include \
    && if test ! -e "$DDN_CACHE"/libtorch-*/torch/lib/libtorch_cuda.so; then rm -rf "$DDN_CACHE"/libtorch-*; fi \
    && mkdir -p /opt/libtorch \
    && find "$DDN_CACHE" -maxdepth 1 -name 'libtorch-*' -exec mv {} /opt/libtorch \;

FROM debian:bookworm-slim
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install --yes --no-install-recommends ca-certificates curl fonts-dejavu-core libmimalloc2.0 libvips42 zlib1g \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --create-home --uid 1000 ddn \
    && install --directory --owner=1000 /work
COPY --from=build /opt/ddn /usr/local
# Where libCTorch of a CUDA build looks for libtorch; empty on CPUs.
COPY --from=build /opt/libtorch /opt/ddn-cache
ENV NVIDIA_VISIBLE_DEVICES=all NVIDIA_DRIVER_CAPABILITIES=compute,utility
USER 1000
WORKDIR /work
ENTRYPOINT ["ddn"]
CMD ["--help"]
