// ddn::convolution_4x4_down and ddn::convolution_4x4_up: convolution and transposed convolution with 4x4 kernels,
// stride 2 and padding 1, with their gradients. Each is the gradient of the other.
#include "convolution_4x4_kernels.h"
#include "operators.h"

namespace {

using Gradients = std::tuple<Tensor, Tensor, Tensor>;  // of input, weight, bias

// input [N, in, H, W], weight [out, in, 4, 4] down, [in, out, 4, 4] up, bias [out]
template <bool is_down>
Tensor forward(const Tensor &input, const Tensor &weight, const Tensor &bias) {
  return at::convolution(input, weight, bias, {2, 2}, {1, 1}, {1, 1}, !is_down, {0, 0}, 1);
}

template <bool is_down>
Gradients backward(const Tensor &gradient, const Tensor &input, const Tensor &weight, bool needs_input) {
  return at::convolution_backward(gradient, input, weight, {{gradient.size(1)}}, {2, 2}, {1, 1}, {1, 1}, !is_down,
                                  {0, 0}, 1, {needs_input, true, true});
}

template <bool is_down>
bool has_kernel(const Tensor &input, const Tensor &weight) {
  return are_cpu_floats(input, weight) && input.dim() == 4 && weight.dim() == 4 && weight.is_contiguous() &&
         weight.size(2) == 4 && weight.size(3) == 4 && weight.size(is_down ? 1 : 0) == input.size(1) &&
         input.numel() > 0 && weight.numel() > 0 &&
         (!is_down || (input.size(2) % 2 == 0 && input.size(3) % 2 == 0));
}

// Of images whose sides are `times` those of the smaller ones.
Convolution4x4Shape shape_of(const Tensor &images, int times, const Tensor &weight) {
  return {images.size(0), static_cast<int>(weight.size(0)), static_cast<int>(weight.size(1)),
          static_cast<int>(images.size(2) / times), static_cast<int>(images.size(3) / times)};
}

template <bool is_down>
Tensor resized(const Tensor &input, const Tensor &weight, const float *bias) {
  const Convolution4x4Shape shape = shape_of(input, is_down ? 2 : 1, weight);
  const int channels = is_down ? shape.low : shape.high, times = is_down ? 1 : 2;
  const Tensor output =
      at::empty({shape.samples, channels, times * shape.height, times * shape.width}, input.options());
  const auto &kernels = best_convolution_4x4_kernels();
  (is_down ? kernels.down : kernels.up)(shape, floats(input), floats(weight), bias, mutable_floats(output));
  return output;
}

template <bool is_down>
Tensor cpu_forward(const Tensor &input, const Tensor &weight, const Tensor &bias) {
  if (!has_kernel<is_down>(input, weight) || !are_cpu_floats(bias) || !bias.is_contiguous() ||
      bias.sizes() != at::IntArrayRef({weight.size(is_down ? 0 : 1)}))
    return forward<is_down>(input, weight, bias);
  return resized<is_down>(input.contiguous(), weight, floats(bias));
}

template <bool is_down>
Gradients cpu_backward(const Tensor &given_gradient, const Tensor &given, const Tensor &weight, bool needs_input) {
  if (!has_kernel<is_down>(given, weight)) return backward<is_down>(given_gradient, given, weight, needs_input);
  const Tensor gradient = given_gradient.contiguous(), input = given.contiguous();
  const Tensor &low = is_down ? gradient : input, &high = is_down ? input : gradient;
  const Tensor of_weight = at::empty_like(weight);
  best_convolution_4x4_kernels().weight_gradient(shape_of(low, 1, weight), floats(low), floats(high),
                                                 mutable_floats(of_weight));
  return {needs_input ? resized<!is_down>(gradient, weight, nullptr) : Tensor(), of_weight, gradient.sum({0, 2, 3})};
}

template <bool is_down>
class Convolution4x4 : public torch::autograd::Function<Convolution4x4<is_down>> {
 public:
  static Tensor forward(AutogradContext *context, const Tensor &input, const Tensor &weight, const Tensor &bias) {
    context->save_for_backward({input, weight});
    return run(input, weight, bias);
  }

  static variable_list backward(AutogradContext *context, const variable_list &gradients) {
    check_first_derivative("a 4x4 convolution");
    const auto saved = context->get_saved_variables();
    const auto [of_input, of_weight, of_bias] = dispatch<::backward<is_down>>(
        is_down ? "ddn::convolution_4x4_down_backward" : "ddn::convolution_4x4_up_backward", gradients[0], saved[0],
        saved[1], context->needs_input_grad(0));
    return {of_input, of_weight, of_bias};
  }

  static Tensor run(const Tensor &input, const Tensor &weight, const Tensor &bias) {
    return dispatch<::forward<is_down>>(is_down ? "ddn::convolution_4x4_down" : "ddn::convolution_4x4_up", input,
                                        weight, bias);
  }
};

template <bool is_down>
Tensor recorded(const Tensor &input, const Tensor &weight, const Tensor &bias) {
  return apply_or_run<Convolution4x4<is_down>>(records(input, weight, bias), input, weight, bias);
}

template <bool is_down>
Tensor under_autocast(const Tensor &input, const Tensor &weight, const Tensor &bias) {
  return is_down ? at::conv2d(input, weight, bias, 2, 1) : at::conv_transpose2d(input, weight, bias, 2, 1);
}

}  // namespace

TORCH_LIBRARY_IMPL(ddn, CompositeExplicitAutograd, library) {
  library.impl("convolution_4x4_down", forward<true>);
  library.impl("convolution_4x4_up", forward<false>);
  library.impl("convolution_4x4_down_backward", backward<true>);
  library.impl("convolution_4x4_up_backward", backward<false>);
}
TORCH_LIBRARY_IMPL(ddn, CPU, library) {
  library.impl("convolution_4x4_down", cpu_forward<true>);
  library.impl("convolution_4x4_up", cpu_forward<false>);
  library.impl("convolution_4x4_down_backward", cpu_backward<true>);
  library.impl("convolution_4x4_up_backward", cpu_backward<false>);
}
TORCH_LIBRARY_IMPL(ddn, Autograd, library) {
  library.impl("convolution_4x4_down", recorded<true>);
  library.impl("convolution_4x4_up", recorded<false>);
}
TORCH_LIBRARY_IMPL(ddn, AutocastCPU, library) {
  library.impl("convolution_4x4_down", under_autocast<true>);
  library.impl("convolution_4x4_up", under_autocast<false>);
}
TORCH_LIBRARY_IMPL(ddn, AutocastCUDA, library) {
  library.impl("convolution_4x4_down", under_autocast<true>);
  library.impl("convolution_4x4_up", under_autocast<false>);
}
