// ddn::chosen_images: the images of the chosen nodes, with their gradient.
//
// The CPU's kernel reads float32 weights and features of float32 or bfloat16. Features are kept in their own type for
// the gradient.
#include <array>

#include "chosen_images_kernels.h"
#include "node_indices.h"
#include "operators.h"

namespace {

using Gradients = c10::List<optional<Tensor>>;

// The features of every row and its node's weights: [R, groups, F, N] and [R, 1, C, F].
std::pair<Tensor, Tensor> of_rows(const Tensor &features, const Tensor &weights, const optional<Tensor> &parent_of_row,
                                  const Tensor &node_of_row) {
  const Tensor rows = (parent_of_row ? features.index_select(0, *parent_of_row) : features).to(weights.scalar_type());
  const int64_t width = weights.size(2);
  return {rows.reshape({rows.size(0), rows.size(1) / width, width, rows.size(2) * rows.size(3)}),
          weights.index_select(0, node_of_row).unsqueeze(1)};
}

std::vector<Tensor> forward(const Tensor &features, const Tensor &weights, const optional<Tensor> &parent_of_row,
                            const Tensor &node_of_row) {
  const auto [rows, nodes] = of_rows(features, weights, parent_of_row, node_of_row);
  const Tensor images = at::matmul(nodes, rows);  // [R, groups, C, N]
  std::vector<Tensor> result;
  for (const Tensor &group : images.unbind(1))
    result.push_back(group.reshape({rows.size(0), weights.size(1), features.size(2), features.size(3)}));
  return result;
}

std::tuple<Tensor, Tensor> backward(const Gradients &gradients, const Tensor &features, const Tensor &weights,
                                    const optional<Tensor> &parent_of_row, const Tensor &node_of_row,
                                    bool needs_features) {
  const auto [rows, nodes] = of_rows(features, weights, parent_of_row, node_of_row);
  const std::array<int64_t, 3> shape{rows.size(0), weights.size(1), rows.size(3)};
  std::vector<Tensor> groups;
  for (size_t group = 0; group < gradients.size(); ++group) {
    const optional<Tensor> gradient = gradients.get(group);
    groups.push_back(gradient ? gradient->reshape(shape) : at::zeros(shape, weights.options()));
  }
  const Tensor of_images = at::stack(groups, 1);  // [R, groups, C, N]
  const Tensor of_weights = at::zeros_like(weights).index_add_(
      0, node_of_row, at::matmul(of_images, rows.transpose(2, 3)).sum(1));
  if (!needs_features) return {Tensor(), of_weights};
  const at::IntArrayRef sides = features.sizes().slice(1);
  Tensor of_features = at::matmul(nodes.transpose(2, 3), of_images)
                           .reshape({rows.size(0), sides[0], sides[1], sides[2]});  // of rows
  if (parent_of_row)
    of_features = at::zeros(features.sizes(), weights.options()).index_add_(0, *parent_of_row, of_features);
  return {of_features.to(features.scalar_type()), of_weights};
}

bool has_kernel(const Tensor &features, const Tensor &weights) {
  return features.is_cpu() && are_cpu_floats(weights) && features.numel() > 0 && weights.numel() > 0 &&
         (features.scalar_type() == at::kFloat || features.scalar_type() == at::kBFloat16);
}

// What the kernels read, and the tensors that hold it.
struct Call {
  const Tensor features, weights;
  const ChosenImages images;

  Call(const Tensor &given_features, const Tensor &given_weights, const optional<Tensor> &parent_of_row,
       const Tensor &node_of_row)
      : features(given_features.contiguous().to(at::kFloat)), weights(given_weights.contiguous()),
        images{.shape = {static_cast<int>(weights.size(0)), static_cast<int>(weights.size(1)),
                         static_cast<int>(weights.size(2)), static_cast<int>(features.size(2) * features.size(3))},
               .rows = node_of_row.numel(), .parents = features.size(0),
               .groups = static_cast<int>(features.size(1) / weights.size(2)), .features = floats(features),
               .weights = floats(weights), .parent_of_row = indices(parent_of_row),
               .node_of_row = indices(node_of_row)} {
    if (parent_of_row) check_indices(*parent_of_row, features.size(0), "parent_of_row");
    check_indices(node_of_row, weights.size(0), "node_of_row");
  }
};

std::vector<Tensor> cpu_forward(const Tensor &features, const Tensor &weights, const optional<Tensor> &parent_of_row,
                                const Tensor &node_of_row) {
  if (!has_kernel(features, weights)) return forward(features, weights, parent_of_row, node_of_row);
  const Call call(features, weights, parent_of_row, node_of_row);
  std::vector<Tensor> images;
  std::vector<float *> pointers;
  for (int group = 0; group < call.images.groups; ++group) {
    images.push_back(at::empty({call.images.rows, weights.size(1), features.size(2), features.size(3)},
                               weights.options()));
    pointers.push_back(mutable_floats(images.back()));
  }
  best_chosen_images_kernels().forward(call.images, pointers.data());
  return images;
}

std::tuple<Tensor, Tensor> cpu_backward(const Gradients &gradients, const Tensor &features, const Tensor &weights,
                                        const optional<Tensor> &parent_of_row, const Tensor &node_of_row,
                                        bool needs_features) {
  if (!has_kernel(features, weights))
    return backward(gradients, features, weights, parent_of_row, node_of_row, needs_features);
  const Call call(features, weights, parent_of_row, node_of_row);
  const Tensor of_features = needs_features ? at::empty_like(call.features) : Tensor();
  const Tensor of_weights = at::empty_like(call.weights);
  std::vector<Tensor> of_images;
  std::vector<const float *> pointers;
  for (size_t group = 0; group < gradients.size(); ++group) {
    const optional<Tensor> gradient = gradients.get(group);
    of_images.push_back(gradient ? gradient->contiguous() : Tensor());
    pointers.push_back(floats(of_images.back()));
  }
  best_chosen_images_kernels().backward(call.images, pointers.data(), mutable_floats(of_features),
                                        mutable_floats(of_weights));
  return {needs_features ? of_features.to(features.scalar_type()) : Tensor(), of_weights};
}

class ChosenImagesFunction : public torch::autograd::Function<ChosenImagesFunction> {
 public:
  static variable_list forward(AutogradContext *context, const Tensor &features, const Tensor &weights,
                               const optional<Tensor> &parent_of_row, const Tensor &node_of_row) {
    context->save_for_backward({features, weights, parent_of_row.value_or(Tensor()), node_of_row});
    context->set_materialize_grads(false);
    return run(features, weights, parent_of_row, node_of_row);
  }

  static variable_list backward(AutogradContext *context, const variable_list &gradients) {
    check_first_derivative("ddn::chosen_images");
    const auto saved = context->get_saved_variables();
    Gradients defined;
    for (const Tensor &gradient : gradients)
      defined.push_back(gradient.defined() ? optional<Tensor>(gradient) : std::nullopt);
    const auto [of_features, of_weights] = dispatch<::backward>(
        "ddn::chosen_images_backward", defined, saved[0], saved[1],
        saved[2].defined() ? optional<Tensor>(saved[2]) : std::nullopt, saved[3], context->needs_input_grad(0));
    return {of_features, of_weights, Tensor(), Tensor()};
  }

  static std::vector<Tensor> run(const Tensor &features, const Tensor &weights, const optional<Tensor> &parent_of_row,
                                 const Tensor &node_of_row) {
    return dispatch<::forward>("ddn::chosen_images", features, weights, parent_of_row, node_of_row);
  }
};

// features [P, groups F, H, W], weights [K, C, F], parent_of_row [R] or none, node_of_row [R] -> groups of [R, C, H, W]
// in the type of the weights
std::vector<Tensor> recorded(const Tensor &features, const Tensor &weights, const optional<Tensor> &parent_of_row,
                             const Tensor &node_of_row) {
  TORCH_CHECK(features.dim() == 4 && weights.dim() == 3 && weights.size(2) > 0, "features ", features.sizes(),
              " and weights ", weights.sizes(), " do not fit");
  const int64_t width = weights.size(2), groups = features.size(1) / width;
  TORCH_CHECK(features.size(1) == groups * width && groups > 0, "nodes that read ", width,
              " features cannot read ", features.size(1), " channels");
  TORCH_CHECK((parent_of_row ? parent_of_row->numel() : features.size(0)) == node_of_row.numel(),
              "every row has one parent");
  return apply_or_run<ChosenImagesFunction>(records(features, weights), features, weights, parent_of_row, node_of_row);
}

}  // namespace

TORCH_LIBRARY_IMPL(ddn, CompositeExplicitAutograd, library) {
  library.impl("chosen_images", forward);
  library.impl("chosen_images_backward", backward);
}
TORCH_LIBRARY_IMPL(ddn, CPU, library) {
  library.impl("chosen_images", cpu_forward);
  library.impl("chosen_images_backward", cpu_backward);
}
TORCH_LIBRARY_IMPL(ddn, Autograd, library) { library.impl("chosen_images", recorded); }
