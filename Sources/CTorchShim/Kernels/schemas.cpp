// The schemas of all operators; their implementations are registered one file each, by dispatch key:
//
//   CompositeImplicitAutograd  what Swift calls; records a gradient by the ..._backward operators
//   CompositeExplicitAutograd  libtorch's operators, for devices and types without a kernel
//   CPU                        the kernels, which leave what they cannot compute to the above
//   AutocastCPU, AutocastCUDA  libtorch's operators, each converted by autocast
//
// A CUDA kernel is one more file, with a TORCH_LIBRARY_IMPL(ddn, CUDA, ...) of the operators that it computes.
#include <torch/library.h>

TORCH_LIBRARY(ddn, library) {
  library.def(
      "layer_norm_convolution_silu(Tensor input, Tensor scale, Tensor shift, Tensor weight, Tensor bias, "
      "float epsilon) -> Tensor");
  library.def(
      "layer_norm_convolution_silu_forward(Tensor input, Tensor scale, Tensor shift, Tensor weight, Tensor bias, "
      "float epsilon, bool keeps) -> (Tensor output, Tensor convolved, Tensor mean, Tensor rstd)");
  library.def(
      "layer_norm_convolution_silu_backward(Tensor gradient, Tensor input, Tensor scale, Tensor shift, Tensor weight, "
      "Tensor convolved, Tensor mean, Tensor rstd, bool needs_input) -> (Tensor, Tensor, Tensor, Tensor, Tensor)");

  library.def(
      "group_norm_silu_convolution(Tensor features, Tensor? addition, int[] channels, Tensor scale, Tensor shift, "
      "int groups, float epsilon, Tensor weight, Tensor bias, bool doubles) -> Tensor");
  library.def(
      "group_norm_silu(Tensor input, Tensor scale, Tensor shift, int groups, float epsilon, ScalarType dtype, "
      "Tensor? mean, Tensor? rstd) -> (Tensor output, Tensor normal, Tensor mean, Tensor rstd)");
  library.def(
      "group_norm_silu_backward(Tensor gradient, Tensor input, Tensor? normal, Tensor mean, Tensor rstd, Tensor scale, "
      "Tensor shift, int groups) -> (Tensor, Tensor, Tensor)");
  library.def("convolution_3x3(Tensor input, Tensor weight, Tensor bias) -> Tensor");
  library.def("convolution_3x3_backward(Tensor gradient, Tensor input, Tensor weight) -> (Tensor, Tensor, Tensor)");
  library.def("add_to_channels(Tensor features, Tensor addition, int[] channels) -> Tensor");

  library.def("convolution_4x4_down(Tensor input, Tensor weight, Tensor bias) -> Tensor");
  library.def("convolution_4x4_up(Tensor input, Tensor weight, Tensor bias) -> Tensor");
  library.def(
      "convolution_4x4_down_backward(Tensor gradient, Tensor input, Tensor weight, bool needs_input) "
      "-> (Tensor, Tensor, Tensor)");
  library.def(
      "convolution_4x4_up_backward(Tensor gradient, Tensor input, Tensor weight, bool needs_input) "
      "-> (Tensor, Tensor, Tensor)");

  library.def(
      "node_distances(Tensor features, Tensor weights, Tensor residual, Tensor? row_of_sample, bool by_images, "
      "Tensor? mapped_features, Tensor? residual_squares) -> Tensor");
  library.def("chosen_images(Tensor features, Tensor weights, Tensor? parent_of_row, Tensor node_of_row) -> Tensor[]");
  library.def(
      "chosen_images_backward(Tensor?[] gradients, Tensor features, Tensor weights, Tensor? parent_of_row, "
      "Tensor node_of_row, bool needs_features) -> (Tensor, Tensor)");
}
