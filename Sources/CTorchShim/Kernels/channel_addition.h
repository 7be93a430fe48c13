// Adding images to some channels of features: features [N, C, H, W], addition [N, c, H, W], channels [c].
#pragma once
#include "operators.h"

void check_addition(const Tensor &features, const optional<Tensor> &addition, at::IntArrayRef channels);

// The features themselves, or a sum in which channel c of the addition is added to channel channels[c].
Tensor added(const Tensor &features, const optional<Tensor> &addition, at::IntArrayRef channels);

// The addition's share of the sum's gradient.
Tensor gradient_of_addition(const Tensor &gradient, at::IntArrayRef channels, at::ScalarType type);
