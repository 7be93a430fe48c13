// The sizes of a discrete distribution layer in kernels: K nodes of C channels read F features of N pixels.
#pragma once

struct NodeShape {
  int nodes, channels, features, pixels;
};
