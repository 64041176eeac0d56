# What `late.py` knows of the families that are not loaded yet. Written by `make stubs` (.ci/stubs.py): do not edit.

ROWS: dict[str, str] = {
    "attention": "scaled_dot_product_attention self_attention",
    "convolution": "conv2d conv2d_bias conv2d_input conv2d_weight",
    "layers": "affine embedding linear scatter_rows",
    "nn": "log_softmax softmax",
    "normalisation": "layer_norm rms_norm",
    "recurrent": "gru lstm rnn_relu rnn_tanh",
    "classification": "cross_entropy nll_loss soft_cross_entropy",
    "normalisation_channels": "batch_norm fixed_norm group_norm",
    "pooling": "avg_pool2d avg_pool2d_input pool_gather pool_scatter",
    "complex_numbers": (
        "complex_abs complex_acosh complex_angle complex_norm2 complex_norm_p complex_sigmoid complex_sign "
        "complex_silu complex_std complex_var conj imag real"
    ),
    "building": "linspace",
}
FUNCTIONS: dict[str, str] = {
    "attention": "scaled_dot_product_attention",
    "convolution": "conv1d conv2d conv_transpose1d conv_transpose2d",
    "dropout": "dropout dropout1d dropout2d",
    "layers": "embedding linear",
    "losses": (
        "binary_cross_entropy binary_cross_entropy_with_logits gaussian_nll_loss huber_loss kl_div l1_loss mse_loss "
        "poisson_nll_loss smooth_l1_loss"
    ),
    "nn": "log_softmax softmax",
    "normalisation": "layer_norm rms_norm",
    "activations": (
        "celu glu hardshrink hardsigmoid hardtanh prelu relu6 softmin softshrink softsign tanhshrink threshold"
    ),
    "classification": "cross_entropy nll_loss",
    "margins": (
        "cosine_embedding_loss cosine_similarity hinge_embedding_loss margin_ranking_loss multi_margin_loss "
        "pairwise_distance soft_margin_loss triplet_margin_loss"
    ),
    "normalisation_channels": "batch_norm group_norm instance_norm",
    "pooling": (
        "adaptive_avg_pool1d adaptive_avg_pool2d adaptive_max_pool1d adaptive_max_pool2d avg_pool1d avg_pool2d "
        "max_pool1d max_pool2d"
    ),
    "complex_numbers": "angle conj imag real",
    "building": "block choose compress diag diagflat extract geomspace linspace logspace meshgrid piecewise select",
    "along": "apply_along_axis apply_over_axes fromfunction",
    "writing": "copyto fill_diagonal place put put_along_axis putmask",
    "wide_domains": "logn real_if_close",
}
METHODS: dict[str, str] = {
    "convolution": "conv1d conv2d conv_transpose1d conv_transpose2d",
    "layers": "embedding linear",
    "nn": "log_softmax softmax",
    "classification": "cross_entropy nll_loss",
    "pooling": (
        "adaptive_avg_pool1d adaptive_avg_pool2d adaptive_max_pool1d adaptive_max_pool2d avg_pool1d avg_pool2d "
        "max_pool1d max_pool2d"
    ),
    "complex_numbers": "conj",
}
NUMPY: dict[str, str] = {
    "complex_numbers": "angle conjugate imag real",
    "building": "block choose compress diag diagflat extract geomspace linspace logspace meshgrid piecewise select",
    "along": "apply_along_axis apply_over_axes fromfunction",
    "writing": "copyto fill_diagonal place put put_along_axis putmask",
    "wide_domains": (
        "emath.arccos emath.arcsin emath.arctanh emath.log emath.log10 emath.log2 emath.logn emath.power emath.sqrt "
        "real_if_close"
    ),
}
