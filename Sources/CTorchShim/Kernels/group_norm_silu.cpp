#include "group_norm_silu.h"

#include "group_norm_silu_kernels.h"

namespace {

using Forward = std::tuple<Tensor, Tensor, Tensor, Tensor>;  // output, normal, mean, rstd
using Backward = std::tuple<Tensor, Tensor, Tensor>;         // of input, scale, shift

int64_t pixels_of(const Tensor &input) { return input.size(2) * input.size(3); }

Forward forward(const Tensor &input, const Tensor &scale, const Tensor &shift, int64_t groups, double epsilon,
                at::ScalarType type, const optional<Tensor> &, const optional<Tensor> &) {
  const auto [normal, mean, rstd] =
      at::native_group_norm(input.to(scale.scalar_type()), scale, shift, input.size(0), input.size(1),
                            pixels_of(input), groups, epsilon);
  return {at::silu(normal).to(type), normal, mean, rstd};
}

Backward backward(const Tensor &gradient, const Tensor &input, const optional<Tensor> &normal, const Tensor &mean,
                  const Tensor &rstd, const Tensor &scale, const Tensor &, int64_t groups) {
  TORCH_CHECK(normal, "ddn::group_norm_silu_backward needs the norm's output");
  const Tensor through = at::silu_backward(gradient.to(normal->scalar_type()), *normal).contiguous();
  return at::native_group_norm_backward(through, input.to(through.scalar_type()), mean, rstd, scale, input.size(0),
                                        input.size(1), pixels_of(input), groups, {true, true, true});
}

bool has_kernel(const Tensor &input, const Tensor &scale, const Tensor &shift, int64_t groups, at::ScalarType type) {
  return are_cpu_floats(scale, shift) && input.is_cpu() && input.is_contiguous() && input.scalar_type() == type &&
         (type == at::kFloat || type == at::kBFloat16) && input.dim() == 4 && input.numel() > 0 && groups > 0 &&
         input.size(1) % groups == 0 && scale.sizes() == at::IntArrayRef({input.size(1)}) &&
         shift.sizes() == scale.sizes() && scale.is_contiguous() && shift.is_contiguous();
}

GroupNormShape shape_of(const Tensor &input, int64_t groups) {
  return {input.size(0), pixels_of(input), static_cast<int>(input.size(1)), static_cast<int>(groups)};
}

Forward cpu_forward(const Tensor &input, const Tensor &scale, const Tensor &shift, int64_t groups, double epsilon,
                    at::ScalarType type, const optional<Tensor> &known_mean, const optional<Tensor> &known_rstd) {
  if (!has_kernel(input, scale, shift, groups, type))
    return forward(input, scale, shift, groups, epsilon, type, known_mean, known_rstd);
  const Tensor mean = known_mean ? *known_mean : at::empty({input.size(0), groups}, scale.options());
  const Tensor rstd = known_mean ? *known_rstd : at::empty_like(mean);
  const Tensor output = at::empty_like(input);
  best_group_norm_silu_kernels().forward({
      .shape = shape_of(input, groups), .is_bfloat16 = type == at::kBFloat16, .input = input.const_data_ptr(),
      .scale = floats(scale), .shift = floats(shift), .epsilon = epsilon, .has_moments = known_mean.has_value(),
      .mean = mutable_floats(mean), .rstd = mutable_floats(rstd), .output = output.data_ptr()});
  return {output, Tensor(), mean, rstd};
}

Backward cpu_backward(const Tensor &given_gradient, const Tensor &input, const optional<Tensor> &normal,
                      const Tensor &mean, const Tensor &rstd, const Tensor &scale, const Tensor &shift,
                      int64_t groups) {
  if (normal || !has_kernel(input, scale, shift, groups, given_gradient.scalar_type()))
    return backward(given_gradient, input, normal, mean, rstd, scale, shift, groups);
  const Tensor gradient = given_gradient.contiguous(), of_input = at::empty_like(input);
  const Tensor of_scale = at::empty({input.size(0), input.size(1)}, scale.options());  // per sample
  const Tensor of_shift = at::empty_like(of_scale);
  best_group_norm_silu_kernels().backward({
      .shape = shape_of(input, groups), .is_bfloat16 = input.scalar_type() == at::kBFloat16,
      .output_gradient = gradient.const_data_ptr(), .input = input.const_data_ptr(), .scale = floats(scale),
      .shift = floats(shift), .mean = floats(mean), .rstd = floats(rstd), .input_gradient = of_input.data_ptr(),
      .scale_gradients = mutable_floats(of_scale), .shift_gradients = mutable_floats(of_shift)});
  return {of_input, of_scale.sum(0), of_shift.sum(0)};
}

optional<Tensor> if_defined(const Tensor &tensor) { return tensor.defined() ? optional<Tensor>(tensor) : std::nullopt; }

}  // namespace

GroupNormSilu group_norm_silu(const Tensor &input, const Tensor &scale, const Tensor &shift, int64_t groups,
                              double epsilon, at::ScalarType type, const Tensor &mean, const Tensor &rstd) {
  auto [output, normal, found_mean, found_rstd] = dispatch<forward>(
      "ddn::group_norm_silu", input, scale, shift, groups, epsilon, type, if_defined(mean), if_defined(rstd));
  return {output, normal, found_mean, found_rstd};
}

Backward group_norm_silu_backward(const Tensor &gradient, const Tensor &input, const GroupNormSilu &made,
                                  const Tensor &scale, const Tensor &shift, int64_t groups) {
  return dispatch<backward>("ddn::group_norm_silu_backward", gradient, input, if_defined(made.normal), made.mean,
                            made.rstd, scale, shift, groups);
}

TORCH_LIBRARY_IMPL(ddn, CompositeExplicitAutograd, library) {
  library.impl("group_norm_silu", forward);
  library.impl("group_norm_silu_backward", backward);
}
TORCH_LIBRARY_IMPL(ddn, CPU, library) {
  library.impl("group_norm_silu", cpu_forward);
  library.impl("group_norm_silu_backward", cpu_backward);
}
