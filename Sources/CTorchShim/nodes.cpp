// The operators of a discrete distribution layer on a CPU in float32; ddn::chosen_images also works elsewhere, by
// libtorch's operators.
//
//   ddn::node_distances  how far each node's image is from each target, without storing the images
//   ddn::chosen_images   the images of the chosen nodes, with their gradient
#include <ATen/ATen.h>
#include <torch/csrc/autograd/custom_function.h>
#include <torch/library.h>

#include <algorithm>

#include "instruction_sets.h"

namespace {

using at::Tensor;
using std::optional;

const int64_t *indices(const optional<Tensor> &tensor) {
  return tensor ? tensor->const_data_ptr<int64_t>() : nullptr;
}

void check_indices(const Tensor &tensor, int64_t bound, const char *name) {
  TORCH_CHECK(tensor.is_cpu() && tensor.scalar_type() == at::kLong && tensor.dim() == 1 && tensor.is_contiguous(), name,
              " must be a list of int64 on the CPU");
  const int64_t *numbers = tensor.const_data_ptr<int64_t>();
  for (int64_t n = 0; n < tensor.numel(); ++n)
    TORCH_CHECK(numbers[n] >= 0 && numbers[n] < bound, name, " has ", numbers[n], ", which is not within 0..<", bound);
}

void check_floats(const Tensor &tensor, int64_t dimensions, const char *name) {
  TORCH_CHECK(tensor.is_cpu() && tensor.scalar_type() == at::kFloat && tensor.dim() == dimensions && tensor.numel() > 0,
              name, " must be float32 on the CPU with ", dimensions, " dimensions, and not empty");
}

NodeShape shape_of(const Tensor &weights, int64_t pixels) {
  return {static_cast<int>(weights.size(0)), static_cast<int>(weights.size(1)), static_cast<int>(weights.size(2)),
          static_cast<int>(pixels)};
}

// features [R, F, N], weights [K, C, F], residual [B, C, N], row_of_sample [B] or none -> [B, K]
Tensor node_distances(const Tensor &features, const Tensor &weights, const Tensor &residual,
                      const optional<Tensor> &row_of_sample, bool by_images) {
  check_floats(features, 3, "features");
  check_floats(weights, 3, "weights");
  check_floats(residual, 3, "residual");
  const int64_t rows = features.size(0), samples = residual.size(0), pixels = features.size(2);
  TORCH_CHECK(features.size(1) == weights.size(2) && residual.size(1) == weights.size(1) && residual.size(2) == pixels,
              "features ", features.sizes(), ", weights ", weights.sizes(), " and residual ", residual.sizes(),
              " do not fit");
  if (row_of_sample) check_indices(*row_of_sample, rows, "row_of_sample");
  TORCH_CHECK((row_of_sample ? row_of_sample->numel() : rows) == samples, "every sample reads one row");
  // Part of the channels of a larger tensor is read in place.
  const bool is_read_in_place = features.stride(2) == 1 && features.stride(1) == pixels;
  const Tensor rows_of_features = is_read_in_place ? features : features.contiguous();
  const Tensor all_weights = weights.contiguous(), all_residuals = residual.contiguous();
  Tensor distances = at::empty({samples, weights.size(0)}, features.options());
  DistancesCall call{};
  call.shape = shape_of(weights, pixels);
  call.rows = rows;
  call.samples = samples;
  call.features = rows_of_features.const_data_ptr<float>();
  call.row_stride = rows_of_features.stride(0);
  call.weights = all_weights.const_data_ptr<float>();
  call.residual = all_residuals.const_data_ptr<float>();
  call.row_of_sample = indices(row_of_sample);
  call.by_images = by_images;
  call.distances = distances.data_ptr<float>();
  DDN_BEST(node_kernels).distances(call);
  return distances;
}

ChosenCall chosen_call(const Tensor &features, const Tensor &weights, const optional<Tensor> &parent_of_row,
                       const Tensor &node_of_row) {
  ChosenCall call{};
  call.shape = shape_of(weights, features.size(2) * features.size(3));
  call.rows = node_of_row.numel();
  call.parents = features.size(0);
  call.groups = static_cast<int>(features.size(1) / weights.size(2));
  call.features = features.const_data_ptr<float>();
  call.weights = weights.const_data_ptr<float>();
  call.parent_of_row = indices(parent_of_row);
  call.node_of_row = node_of_row.const_data_ptr<int64_t>();
  return call;
}

class ChosenImages : public torch::autograd::Function<ChosenImages> {
 public:
  static torch::autograd::variable_list forward(torch::autograd::AutogradContext *context, const Tensor &features,
                                                const Tensor &weights, const optional<Tensor> &parent_of_row,
                                                const Tensor &node_of_row) {
    context->save_for_backward({features, weights, parent_of_row.value_or(Tensor()), node_of_row});
    context->set_materialize_grads(false);
    return run(features, weights, parent_of_row, node_of_row);
  }

  static torch::autograd::variable_list backward(torch::autograd::AutogradContext *context,
                                                 const torch::autograd::variable_list &gradients) {
    TORCH_CHECK(!at::GradMode::is_enabled(), "ddn::chosen_images has no second derivative");
    const auto saved = context->get_saved_variables();
    const Tensor features = saved[0].to(at::kFloat), &weights = saved[1], &node_of_row = saved[3];
    const optional<Tensor> parent_of_row = saved[2].defined() ? optional<Tensor>(saved[2]) : std::nullopt;
    Tensor feature_gradient = context->needs_input_grad(0) ? at::empty_like(features) : Tensor();
    Tensor weight_gradient = at::empty_like(weights);
    std::vector<Tensor> contiguous;
    ChosenGradientCall call{};
    call.forward = chosen_call(features, weights, parent_of_row, node_of_row);
    for (size_t group = 0; group < gradients.size(); ++group) {
      contiguous.push_back(gradients[group].defined() ? gradients[group].contiguous() : Tensor());
      call.image_gradients[group] = contiguous.back().defined() ? contiguous.back().const_data_ptr<float>() : nullptr;
    }
    call.feature_gradient = feature_gradient.defined() ? feature_gradient.data_ptr<float>() : nullptr;
    call.weight_gradient = weight_gradient.data_ptr<float>();
    DDN_BEST(node_kernels).chosen_gradient(call);
    if (feature_gradient.defined()) feature_gradient = feature_gradient.to(saved[0].scalar_type());
    return {feature_gradient, weight_gradient, Tensor(), Tensor()};
  }

  static std::vector<Tensor> run(const Tensor &given, const Tensor &weights, const optional<Tensor> &parent_of_row,
                                 const Tensor &node_of_row) {
    const Tensor features = given.to(at::kFloat);
    ChosenCall call = chosen_call(features, weights, parent_of_row, node_of_row);
    std::vector<Tensor> images;
    for (int group = 0; group < call.groups; ++group) {
      images.push_back(
          at::empty({call.rows, weights.size(1), features.size(2), features.size(3)}, features.options()));
      call.images[group] = images.back().data_ptr<float>();
    }
    DDN_BEST(node_kernels).chosen(call);
    return images;
  }
};

// features [P, groups F, H, W], weights [K, C, F], parent_of_row [R] or none, node_of_row [R] -> groups of [R, C, H, W]
// in the type of the weights. Features of bfloat16 are kept as they are for the gradient, and not as the floats they become.
std::vector<Tensor> chosen_images(const Tensor &features, const Tensor &weights,
                                  const optional<Tensor> &parent_of_row, const Tensor &node_of_row) {
  TORCH_CHECK(features.dim() == 4 && weights.dim() == 3 && weights.size(2) > 0, "features ", features.sizes(),
              " and weights ", weights.sizes(), " do not fit");
  const int64_t width = weights.size(2), groups = features.size(1) / width;
  TORCH_CHECK(features.size(1) == groups * width && (groups == 1 || groups == 2), "nodes that read ", width,
              " features cannot read ", features.size(1), " channels");
  TORCH_CHECK((parent_of_row ? parent_of_row->numel() : features.size(0)) == node_of_row.numel(),
              "every row has one parent");
  const bool is_empty = features.numel() == 0 || weights.numel() == 0;
  const bool has_kernel = features.is_cpu() && weights.is_cpu() && weights.scalar_type() == at::kFloat &&
                          (features.scalar_type() == at::kFloat || features.scalar_type() == at::kBFloat16);
  if (is_empty || !has_kernel) {
    c10::impl::ExcludeDispatchKeyGuard without_autocast(c10::autocast_dispatch_keyset);  // as the kernel
    const Tensor parents = parent_of_row ? features.index_select(0, *parent_of_row) : features;
    const Tensor rows = parents.to(weights.scalar_type());
    const Tensor nodes = weights.index_select(0, node_of_row).unsqueeze(1);  // [R, 1, C, F]
    const Tensor images = at::matmul(nodes, rows.reshape({rows.size(0), groups, width, -1}));  // [R, groups, C, N]
    std::vector<Tensor> result;
    for (int64_t group = 0; group < groups; ++group)
      result.push_back(
          images.select(1, group).reshape({rows.size(0), weights.size(1), features.size(2), features.size(3)}));
    return result;
  }
  if (parent_of_row) check_indices(*parent_of_row, features.size(0), "parent_of_row");
  check_indices(node_of_row, weights.size(0), "node_of_row");
  const Tensor all_features = features.contiguous(), all_weights = weights.contiguous();
  if (at::GradMode::is_enabled() && (features.requires_grad() || weights.requires_grad()))
    return ChosenImages::apply(all_features, all_weights, parent_of_row, node_of_row);
  at::AutoDispatchBelowADInplaceOrView below;
  return ChosenImages::run(all_features, all_weights, parent_of_row, node_of_row);
}

}  // namespace

TORCH_LIBRARY_FRAGMENT(ddn, library) {
  library.def(
      "node_distances(Tensor features, Tensor weights, Tensor residual, Tensor? row_of_sample, bool by_images) -> "
      "Tensor",
      node_distances);
  library.def(
      "chosen_images(Tensor features, Tensor weights, Tensor? parent_of_row, Tensor node_of_row) -> Tensor[]",
      chosen_images);
}
