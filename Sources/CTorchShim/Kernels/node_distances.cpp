// ddn::node_distances: how far each node's image is from each target, without storing the images. On a CPU in float32;
// elsewhere the caller takes matrix products.
#include "node_distances_kernels.h"
#include "node_indices.h"
#include "operators.h"

namespace {

void check_floats(const Tensor &tensor, const char *name) {
  TORCH_CHECK(are_cpu_floats(tensor) && tensor.dim() == 3 && tensor.numel() > 0, name,
              " must be float32 on the CPU with 3 dimensions, and not empty");
}

// features and mapped_features [R, F, N], weights [K, C, F], residual [B, C, N], row_of_sample [B] or none,
// residual_squares [B] -> [B, K]
Tensor cpu_node_distances(const Tensor &given_features, const Tensor &given_weights, const Tensor &given_residual,
                          const optional<Tensor> &row_of_sample, bool by_images,
                          const optional<Tensor> &given_mapped, const optional<Tensor> &given_squares) {
  check_floats(given_features, "features");
  check_floats(given_weights, "weights");
  check_floats(given_residual, "residual");
  const int64_t rows = given_features.size(0), samples = given_residual.size(0), pixels = given_features.size(2);
  TORCH_CHECK(given_features.size(1) == given_weights.size(2) && given_residual.size(1) == given_weights.size(1) &&
                  given_residual.size(2) == pixels,
              "features ", given_features.sizes(), ", weights ", given_weights.sizes(), " and residual ",
              given_residual.sizes(), " do not fit");
  if (row_of_sample) check_indices(*row_of_sample, rows, "row_of_sample");
  TORCH_CHECK((row_of_sample ? row_of_sample->numel() : rows) == samples, "every sample reads one row");
  TORCH_CHECK(given_mapped.has_value() == given_squares.has_value() && !(given_mapped && by_images),
              "features in a basis have mapped features and squares of the residual, and products only");
  Tensor mapped, squares;
  if (given_mapped) {
    check_floats(*given_mapped, "mapped features");
    TORCH_CHECK(given_mapped->sizes() == given_features.sizes() && are_cpu_floats(*given_squares) &&
                    given_squares->numel() == samples,
                "mapped features ", given_mapped->sizes(), " and squares ", given_squares->sizes(), " do not fit");
    mapped = given_mapped->contiguous();
    squares = given_squares->contiguous();
  }
  // Some channels of a larger tensor are read in place.
  const bool is_read_in_place = given_features.stride(2) == 1 && given_features.stride(1) == pixels;
  const Tensor features = is_read_in_place ? given_features : given_features.contiguous();
  const Tensor weights = given_weights.contiguous(), residual = given_residual.contiguous();
  const Tensor distances = at::empty({samples, weights.size(0)}, features.options());
  best_node_distances_kernels().distances({
      .shape = {static_cast<int>(weights.size(0)), static_cast<int>(weights.size(1)),
                static_cast<int>(weights.size(2)), static_cast<int>(pixels)},
      .rows = rows, .samples = samples, .features = floats(features), .row_stride = features.stride(0),
      .weights = floats(weights), .residual = floats(residual), .row_of_sample = indices(row_of_sample),
      .by_images = by_images, .mapped_features = floats(mapped), .residual_squares = floats(squares),
      .distances = mutable_floats(distances)});
  return distances;
}

}  // namespace

TORCH_LIBRARY_IMPL(ddn, CPU, library) { library.impl("node_distances", cpu_node_distances); }
// A choice has no gradient.
TORCH_LIBRARY_IMPL(ddn, Autograd, library) { library.impl("node_distances", torch::CppFunction::makeFallthrough()); }
