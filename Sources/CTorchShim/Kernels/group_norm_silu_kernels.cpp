// Group norm and SiLU, for the instruction set DDN_ISA. A group's pixels stay in the cache.
#include "group_norm_silu_kernels.h"

#include "parallel_loops.h"
#include "scratch_buffers.h"
#include "vectors.h"

namespace DDN_ISA {
namespace {

template <typename Element>
void forward(const GroupNormSiluForward &call) {
  const GroupNormShape &shape = call.shape;
  const int width = shape.channels / shape.groups;
  const int64_t count = width * shape.pixels;
  parallel_for(shape.samples * shape.groups, [&](int64_t first, int64_t last, int64_t) {
    for (int64_t n = first; n < last; ++n) {
      const Element *input = static_cast<const Element *>(call.input) + n * count;
      Element *output = static_cast<Element *>(call.output) + n * count;
      if (!call.has_moments) {
        const float mean = sum_of_terms(input, count, [](Vector x) { return x; }) / count;
        const float squares = sum_of_terms(input, count, [mean](Vector x) { return (x - mean) * (x - mean); });
        call.mean[n] = mean;
        call.rstd[n] = 1 / __builtin_sqrt(static_cast<double>(squares) / count + call.epsilon);
      }
      const Moments moments{call.mean[n], call.rstd[n]};
      const int channel = static_cast<int>(n % shape.groups) * width;
      for (int c = 0; c < width; ++c, input += shape.pixels, output += shape.pixels) {
        const float scale = call.scale[channel + c], shift = call.shift[channel + c];
        for (int64_t i = 0; i < shape.pixels; i += lanes) {
          const int64_t left = shape.pixels - i;
          store(output + i, silu(moments.normalized(load(input + i, left)) * scale + shift), left);
        }
      }
    }
  });
}

template <typename Element>
void backward(const GroupNormSiluBackward &call) {
  const GroupNormShape &shape = call.shape;
  const int width = shape.channels / shape.groups;
  const int64_t count = width * shape.pixels;
  parallel_for(shape.samples * shape.groups, [&](int64_t first, int64_t last, int64_t) {
    ScratchBuffer through(count);  // the gradient of the norm's output
    for (int64_t n = first; n < last; ++n) {
      const Element *input = static_cast<const Element *>(call.input) + n * count;
      const Element *output_gradient = static_cast<const Element *>(call.output_gradient) + n * count;
      Element *input_gradient = static_cast<Element *>(call.input_gradient) + n * count;
      const int channel = static_cast<int>(n % shape.groups) * width;
      const int64_t place = n / shape.groups * shape.channels + channel;
      const Moments moments{call.mean[n], call.rstd[n]};
      double sum_of_group = 0, product_of_group = 0;
      for (int c = 0; c < width; ++c) {
        const float scale = call.scale[channel + c], shift = call.shift[channel + c];
        Vector sums = {}, products = {};
        for (int64_t i = 0; i < shape.pixels; i += lanes) {
          const int64_t left = shape.pixels - i;
          const Vector normalized = moments.normalized(load(input + c * shape.pixels + i, left));
          const Vector gradient =
              silu_gradient(load(output_gradient + c * shape.pixels + i, left), normalized * scale + shift);
          sums += gradient;
          products += gradient * normalized;
          store(through + c * shape.pixels + i, gradient, left);
        }
        call.shift_gradients[place + c] = sum(sums);
        call.scale_gradients[place + c] = sum(products);
        sum_of_group += static_cast<double>(scale) * call.shift_gradients[place + c];
        product_of_group += static_cast<double>(scale) * call.scale_gradients[place + c];
      }
      const float mean_gradient = sum_of_group / count, mean_product = product_of_group / count;
      for (int c = 0; c < width; ++c) {
        const float scale = call.scale[channel + c];
        for (int64_t i = 0; i < shape.pixels; i += lanes) {
          const int64_t left = shape.pixels - i;
          const Vector normalized = moments.normalized(load(input + c * shape.pixels + i, left));
          const Vector gradient = load(through + c * shape.pixels + i, left) * scale;
          store(input_gradient + c * shape.pixels + i,
                moments.gradient(gradient, normalized, mean_gradient, mean_product), left);
        }
      }
    }
  });
}

}  // namespace

extern const GroupNormSiluKernels group_norm_silu_kernels;
const GroupNormSiluKernels group_norm_silu_kernels{
    [](const GroupNormSiluForward &call) { call.is_bfloat16 ? forward<Bfloat16>(call) : forward<float>(call); },
    [](const GroupNormSiluBackward &call) { call.is_bfloat16 ? backward<Bfloat16>(call) : backward<float>(call); }};

}  // namespace DDN_ISA
