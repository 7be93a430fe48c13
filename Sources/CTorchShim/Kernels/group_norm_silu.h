// Group norm and SiLU, of input [N, C, H, W] with scale and shift [C]. On a CPU one kernel, in float32 and bfloat16.
#pragma once
#include "operators.h"

struct GroupNormSilu {
  Tensor output;      // in the requested type
  Tensor normal;      // the norm's output, where the gradient needs it
  Tensor mean, rstd;  // [N, groups]
};

// Records nothing for a gradient. `mean` and `rstd` may be undefined, or those of an earlier call.
GroupNormSilu group_norm_silu(const Tensor &input, const Tensor &scale, const Tensor &shift, int64_t groups,
                              double epsilon, at::ScalarType type, const Tensor &mean, const Tensor &rstd);

// The gradients of input, scale and shift. `made` is the result of a call with the same arguments.
std::tuple<Tensor, Tensor, Tensor> group_norm_silu_backward(const Tensor &gradient, const Tensor &input,
                                                            const GroupNormSilu &made, const Tensor &scale,
                                                            const Tensor &shift, int64_t groups);
