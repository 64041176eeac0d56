# What `late.py` knows of the families that are not loaded yet. Written by `make stubs` (.ci/stubs.py): do not edit.

ROWS = {
    "attention": "scaled_dot_product_attention self_attention",
    "convolution": "conv2d conv2d_bias conv2d_input conv2d_weight",
    "layers": "affine embedding linear scatter_rows",
    "nn": "log_softmax softmax",
    "normalisation": "layer_norm rms_norm",
    "recurrent": "gru lstm rnn_relu rnn_tanh",
    "classification": "cross_entropy nll_loss soft_cross_entropy",
    "normalisation_channels": "batch_norm fixed_norm group_norm",
    "pooling": "avg_pool2d avg_pool2d_input pool_gather pool_scatter",
    "windows": "overlapped windows",
    "distances": "cdist",
    "resampling": "gathered_back resampled",
    "alignment": "paths",
}
FUNCTIONS = {
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
        "pairwise_distance soft_margin_loss triplet_margin_loss triplet_margin_with_distance_loss"
    ),
    "normalisation_channels": "batch_norm group_norm instance_norm",
    "pooling": (
        "adaptive_avg_pool1d adaptive_avg_pool2d adaptive_max_pool1d adaptive_max_pool2d avg_pool1d avg_pool2d "
        "max_pool1d max_pool2d"
    ),
    "windows": "fold unfold",
    "images": "channel_shuffle pixel_shuffle pixel_unshuffle",
    "distances": "cdist normalize one_hot pdist",
    "resampling": "interpolate",
    "alignment": "ctc_loss",
    "multilabel": "multilabel_margin_loss multilabel_soft_margin_loss",
}
METHODS = {
    "convolution": "conv1d conv2d conv_transpose1d conv_transpose2d",
    "layers": "embedding linear",
    "nn": "log_softmax softmax",
    "classification": "cross_entropy nll_loss",
    "pooling": (
        "adaptive_avg_pool1d adaptive_avg_pool2d adaptive_max_pool1d adaptive_max_pool2d avg_pool1d avg_pool2d "
        "max_pool1d max_pool2d"
    ),
}
