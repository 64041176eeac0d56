# What is known of modules that are not loaded yet: the families (`late.py`), and where members of Tensor stand
# (`zen/attached`). Written by `make stubs` (.ci/stubs.py): do not edit.

ROWS: dict[str, str] = {
    "nesting": "nest",
    "casting": "astype copy",
    "shape": "broadcast_to permute_dims reshape",
    "pointwise": (
        "abs acos acosh add angle_slope asin asinh atan atan2 atanh bce bce_logits bounded_softplus ceil clip cos "
        "cosh divide elu entropy erf exp exp2 expm1 floor floor_divide gelu gelu_slope gelu_tanh hardswish hardtanh "
        "huber hypot leaky_relu limit_power log log10 log1p log2 logaddexp logsigmoid maximum minimum mish multiply "
        "negative positive power power_log power_slope product ratio reciprocal relu remainder rint selu sigmoid sign "
        "silu sin sinh softplus sqrt square squared_error subtract tan tanh trunc where"
    ),
    "logic": (
        "bitwise_and bitwise_invert bitwise_left_shift bitwise_or bitwise_right_shift bitwise_xor equal greater "
        "greater_equal isfinite isinf isnan less less_equal logical_and logical_not logical_or logical_xor not_equal "
        "signbit"
    ),
    "reduction": "all any argmax argmin constant count_nonzero max mean min sum",
    "factors": "prod prod_others",
    "products": "matmul",
    "indexing": "getitem scatter setitem",
    "views": "add_view view_of write_view",
    "joining": "concat pad split stack",
    "running": "cumprod cumsum delayed recurrence sum_to_come",
    "rearranging": "flip repeated roll",
    "selection": "add_along diagonal from_diagonal from_trace take_along trace",
    "einsum": "einsum",
    "linalg": "cholesky cofactor cofactor_slope det det_angle inv logabsdet slogdet solve",
    "moments": "logsumexp norm2 norm_p std var",
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
        "complex_abs complex_acos complex_acosh complex_angle complex_asin complex_clip complex_norm2 complex_norm_p "
        "complex_rint complex_sigmoid complex_sign complex_silu complex_std complex_var conj direction imag real"
    ),
    "real_functions": (
        "cbrt copysign deg2rad fmax fmin fmod heaviside i0 i0_slope ldexp logaddexp2 modf nextafter rad2deg sinc "
        "sinc_slope spacing"
    ),
    "nan_functions": "nanmax nanmin",
    "windows": "overlapped windows",
    "distances": "cdist",
    "fft": "fourier irfft rfft",
    "spectra": "eigh gaps_beyond_ties tied_remainder top_beyond_ties",
    "eigen": "eig",
    "singular_values": "svd",
    "orthogonal": "qr",
    "least_squares": "pinv",
    "triangular": "lu",
    "building": "linspace",
    "differences": "diff",
    "signals": "convolve correlate_valid",
    "polynomials": "roots",
    "resampling": "gathered_back resampled",
    "alignment": "paths",
    "special_error": (
        "complex_erf erfc erfcinv erfcx erfcx_moment erfinv error_density inverse_mills log_ndtr ndtr ndtri "
        "normal_density"
    ),
    "special_gamma": "beta betaln digamma gamma gammaln loggamma polygamma polygamma_gap zeta",
    "special_incomplete": "beta_density betainc betaincc gamma_density gammainc gammaincc",
    "special_student": "stdtr stdtrit student_density student_slope",
    "special_entropy": "entr kl_div log_ratio logit rel_entr xlog1py xlogy zero_ratio",
    "special_bessel": (
        "complex_ive i0e i0e_slope i1 i1e i1e_slope iv ive ive_slope j0 j1 j1_slope jv k0 k0_slope k0e k0e_slope k1 "
        "k1e k1e_slope kv kve kve_slope y0 y1 y1_slope yv yv_slope"
    ),
    "special_boxcox": "boxcox boxcox1p cosm1 exprel inv_boxcox inv_boxcox1p logrel",
    "special_inverses": "betaincinv gammaincinv",
    "special_polynomials": (
        "eval_chebyt eval_chebyu eval_gegenbauer eval_genlaguerre eval_hermite eval_hermitenorm eval_jacobi "
        "eval_laguerre eval_legendre"
    ),
    "special_integrals": (
        "airy_ai airy_ai_slope airy_bi airy_bi_slope chi ci complex_rgamma ellipe ellipe_slope ellipk ellipk_slope "
        "erfi exp1 exp10 expi fresnel_c fresnel_s owens_t rgamma shi si spence"
    ),
    "special_probability": "chdtr chdtrc gammainccinv gdtr gdtrc limited_square pdtr pdtrc pseudo_huber",
}
FUNCTIONS: dict[str, str] = {
    "casting": "astype copy",
    "shape": (
        "atleast_1d atleast_2d atleast_3d broadcast_arrays broadcast_to expand_dims flatten matrix_transpose moveaxis "
        "permute_dims ravel reshape squeeze swapaxes transpose"
    ),
    "pointwise": (
        "abs acos acosh add asin asinh atan atan2 atanh ceil clamp clip cos cosh divide elu erf exp exp2 expm1 fabs "
        "float_power floor floor_divide gelu hardswish hypot leaky_relu log log10 log1p log2 logaddexp logsigmoid "
        "maximum minimum mish multiply negative positive pow power reciprocal relu remainder rint round selu sigmoid "
        "sign silu sin sinh softplus sqrt square subtract tan tanh trunc where"
    ),
    "logic": (
        "allclose array_equal bitwise_and bitwise_invert bitwise_left_shift bitwise_or bitwise_right_shift "
        "bitwise_xor equal greater greater_equal isclose isfinite isinf isnan less less_equal logical_and logical_not "
        "logical_or logical_xor not_equal signbit"
    ),
    "reduction": "all any argmax argmin count_nonzero max mean min sum",
    "factors": "prod",
    "products": "dot inner matmul outer tensordot vdot vecdot",
    "joining": "concat hstack pad split stack unstack vstack",
    "running": "cumprod cumsum cumulative_prod cumulative_sum",
    "rearranging": "flip repeat roll tile",
    "selection": "argsort diagonal sort take take_along_axis trace tril triu",
    "einsum": "einsum",
    "linalg": "cholesky det inv slogdet solve",
    "moments": "logsumexp matrix_norm norm std var vector_norm",
    "attention": "scaled_dot_product_attention",
    "convolution": "conv1d conv2d conv_transpose1d conv_transpose2d",
    "dropout": "alpha_dropout dropout dropout1d dropout2d dropout3d feature_alpha_dropout",
    "layers": "bilinear embedding linear",
    "losses": (
        "binary_cross_entropy binary_cross_entropy_with_logits gaussian_nll_loss huber_loss kl_div l1_loss mse_loss "
        "poisson_nll_loss smooth_l1_loss"
    ),
    "nn": "log_softmax softmax",
    "normalisation": "layer_norm rms_norm",
    "activations": (
        "celu glu gumbel_softmax hardshrink hardsigmoid hardtanh prelu relu6 rrelu softmin softshrink softsign "
        "tanhshrink threshold"
    ),
    "classification": "cross_entropy nll_loss",
    "margins": (
        "cosine_embedding_loss cosine_similarity hinge_embedding_loss margin_ranking_loss multi_margin_loss "
        "pairwise_distance soft_margin_loss triplet_margin_loss triplet_margin_with_distance_loss"
    ),
    "normalisation_channels": "batch_norm group_norm instance_norm local_response_norm",
    "pooling": (
        "adaptive_avg_pool1d adaptive_avg_pool2d adaptive_max_pool1d adaptive_max_pool2d avg_pool1d avg_pool2d "
        "max_pool1d max_pool2d"
    ),
    "complex_numbers": "angle conj imag real",
    "real_functions": (
        "cbrt copysign deg2rad degrees divmod fmax fmin fmod frexp heaviside i0 ldexp logaddexp2 modf nan_to_num "
        "nextafter rad2deg radians sinc spacing"
    ),
    "nan_functions": "nancumprod nancumsum nanmax nanmean nanmin nanprod nanstd nansum nanvar",
    "quantiles": "median nanmedian nanpercentile nanquantile percentile quantile",
    "statistics": "average corrcoef cov ptp",
    "histograms": "bincount histogram histogram2d histogram_bin_edges histogramdd",
    "windows": "fold unfold",
    "images": "channel_shuffle pixel_shuffle pixel_unshuffle",
    "distances": "cdist normalize one_hot pdist",
    "searching": "isin nonzero searchsorted unique_all unique_counts unique_inverse unique_values",
    "spectra": "eigh eigvalsh",
    "eigen": "eig eigvals",
    "singular_values": "svd svdvals",
    "orthogonal": "qr",
    "least_squares": "cond lstsq matrix_rank pinv",
    "tensor_equations": "cross matrix_power multi_dot tensorinv tensorsolve",
    "triangular": "cho_solve lu solve_triangular",
    "matrix_functions": "block_diag expm",
    "building": "block choose compress diag diagflat extract geomspace linspace logspace meshgrid piecewise select",
    "along": "apply_along_axis apply_over_axes fromfunction",
    "writing": "copyto fill_diagonal place put put_along_axis putmask",
    "wide_domains": "logn real_if_close",
    "differences": "diff ediff1d gradient trapezoid unwrap",
    "interpolation": "interp",
    "signals": "convolve correlate kaiser",
    "editing": "append delete insert partition resize sort_complex trim_zeros",
    "turning": (
        "array_split column_stack dsplit dstack fliplr flipud hsplit kron matvec rollaxis rot90 vander vecmat vsplit"
    ),
    "sets": "intersect1d setdiff1d setxor1d union1d unique",
    "polynomials": "poly polyadd polyder polydiv polyint polymul polysub polyval roots",
    "polynomial_fits": "polyfit",
    "resampling": "interpolate",
    "alignment": "ctc_loss",
    "multilabel": "multilabel_margin_loss multilabel_soft_margin_loss",
    "volumes": (
        "adaptive_avg_pool3d adaptive_max_pool3d avg_pool3d conv3d conv_transpose3d lp_pool1d lp_pool2d lp_pool3d "
        "max_pool3d"
    ),
    "unpooling": "fractional_max_pool2d fractional_max_pool3d max_unpool1d max_unpool2d max_unpool3d",
    "sampling_grids": "affine_grid grid_sample",
    "bags": "embedding_bag",
}
METHODS: dict[str, str] = {
    "casting": "astype copy",
    "shape": "broadcast_to expand_dims flatten moveaxis permute_dims ravel reshape squeeze swapaxes transpose",
    "pointwise": (
        "abs acos acosh add asin asinh atan atan2 atanh ceil clip cos cosh divide elu erf exp exp2 expm1 floor "
        "floor_divide gelu hypot leaky_relu log log10 log1p log2 logaddexp maximum minimum multiply negative positive "
        "power reciprocal relu remainder round sigmoid sign silu sin sinh softplus sqrt square subtract tan tanh "
        "trunc"
    ),
    "logic": "isclose isfinite isinf isnan logical_and logical_not logical_or logical_xor",
    "reduction": "all any argmax argmin count_nonzero max mean min sum",
    "factors": "prod",
    "products": "dot inner matmul outer",
    "joining": "split",
    "running": "cumprod cumsum",
    "rearranging": "flip repeat roll tile",
    "selection": "argsort diagonal sort take take_along_axis trace tril triu",
    "moments": "logsumexp norm std var",
    "convolution": "conv1d conv2d conv_transpose1d conv_transpose2d",
    "layers": "embedding linear",
    "nn": "log_softmax softmax",
    "classification": "cross_entropy nll_loss",
    "pooling": (
        "adaptive_avg_pool1d adaptive_avg_pool2d adaptive_max_pool1d adaptive_max_pool2d avg_pool1d avg_pool2d "
        "max_pool1d max_pool2d"
    ),
    "complex_numbers": "conj conjugate",
    "searching": "nonzero searchsorted",
    "building": "choose compress",
    "writing": "put",
    "differences": "diff",
}
NUMPY: dict[str, str] = {
    "casting": "astype copy",
    "shape": (
        "atleast_1d atleast_2d atleast_3d broadcast_arrays broadcast_to expand_dims linalg.matrix_transpose "
        "matrix_transpose moveaxis ravel reshape squeeze swapaxes transpose"
    ),
    "pointwise": (
        "absolute add arccos arccosh arcsin arcsinh arctan arctan2 arctanh around ceil clip cos cosh divide exp exp2 "
        "expm1 fabs fix float_power floor floor_divide hypot log log10 log1p log2 logaddexp maximum minimum multiply "
        "negative positive power reciprocal remainder rint round sign sin sinh sqrt square subtract tan tanh trunc "
        "where"
    ),
    "logic": (
        "allclose array_equal bitwise_and bitwise_or bitwise_xor equal greater greater_equal invert isclose isfinite "
        "isinf isnan left_shift less less_equal logical_and logical_not logical_or logical_xor not_equal right_shift "
        "signbit"
    ),
    "reduction": "all amax amin any argmax argmin count_nonzero max mean min sum",
    "factors": "prod",
    "products": (
        "dot inner linalg.matmul linalg.outer linalg.tensordot linalg.vecdot matmul outer tensordot vdot vecdot"
    ),
    "joining": "concatenate hstack pad split stack unstack vstack",
    "running": "cumprod cumsum cumulative_prod cumulative_sum",
    "rearranging": "flip repeat roll tile",
    "selection": "argsort diagonal linalg.diagonal linalg.trace sort take take_along_axis trace tril triu",
    "einsum": "einsum",
    "linalg": "linalg.cholesky linalg.det linalg.inv linalg.slogdet linalg.solve",
    "moments": "linalg.matrix_norm linalg.norm linalg.vector_norm std var",
    "complex_numbers": "angle conjugate imag real",
    "real_functions": (
        "cbrt copysign deg2rad degrees divmod fmax fmin fmod frexp heaviside i0 ldexp logaddexp2 modf nan_to_num "
        "nextafter rad2deg radians sinc spacing"
    ),
    "nan_functions": "nancumprod nancumsum nanmax nanmean nanmin nanprod nanstd nansum nanvar",
    "quantiles": "median nanmedian nanpercentile nanquantile percentile quantile",
    "statistics": "average corrcoef cov ptp",
    "histograms": "bincount histogram histogram2d histogram_bin_edges histogramdd",
    "searching": "unique_all unique_counts unique_inverse unique_values",
    "fft": "fft.fft fft.fft2 fft.fftn fft.ifft fft.ifft2 fft.ifftn",
    "fft_real": (
        "fft.fftfreq fft.fftshift fft.hfft fft.ifftshift fft.ihfft fft.irfft fft.irfft2 fft.irfftn fft.rfft fft.rfft2 "
        "fft.rfftfreq fft.rfftn"
    ),
    "spectra": "linalg.eigh linalg.eigvalsh",
    "eigen": "linalg.eig linalg.eigvals",
    "singular_values": "linalg.svd linalg.svdvals",
    "orthogonal": "linalg.qr",
    "least_squares": "linalg.cond linalg.lstsq linalg.matrix_rank linalg.pinv",
    "tensor_equations": "cross linalg.cross linalg.matrix_power linalg.multi_dot linalg.tensorinv linalg.tensorsolve",
    "building": "block choose compress diag diagflat extract geomspace linspace logspace meshgrid piecewise select",
    "along": "apply_along_axis apply_over_axes fromfunction",
    "writing": "copyto fill_diagonal place put put_along_axis putmask",
    "wide_domains": (
        "emath.arccos emath.arcsin emath.arctanh emath.log emath.log10 emath.log2 emath.logn emath.power emath.sqrt "
        "real_if_close"
    ),
    "differences": "diff ediff1d gradient trapezoid unwrap",
    "interpolation": "interp",
    "signals": "convolve correlate",
    "editing": "append delete insert partition resize sort_complex trim_zeros",
    "turning": (
        "array_split column_stack dsplit dstack fliplr flipud hsplit kron matvec rollaxis rot90 vander vecmat vsplit"
    ),
    "sets": "intersect1d setdiff1d setxor1d union1d unique",
    "polynomials": "poly polyadd polyder polydiv polyint polymul polysub polyval roots",
    "polynomial_fits": "polyfit",
    "power_series_values": "polynomial.polynomial.polygrid2d polynomial.polynomial.polyval2d",
    "special_error": (
        "scipy.special.erf scipy.special.erfc scipy.special.erfcinv scipy.special.erfcx scipy.special.erfinv "
        "scipy.special.log_ndtr scipy.special.ndtr scipy.special.ndtri"
    ),
    "special_gamma": (
        "scipy.special._ufuncs._riemann_zeta scipy.special._ufuncs._zeta scipy.special.beta scipy.special.betaln "
        "scipy.special.digamma scipy.special.gamma scipy.special.gammaln scipy.special.loggamma scipy.special.psi"
    ),
    "special_incomplete": "scipy.special.betainc scipy.special.betaincc scipy.special.gammainc scipy.special.gammaincc",
    "special_student": "scipy.special.stdtr scipy.special.stdtrit",
    "special_entropy": (
        "scipy.special.entr scipy.special.expit scipy.special.kl_div scipy.special.log_expit scipy.special.logit "
        "scipy.special.rel_entr scipy.special.xlog1py scipy.special.xlogy"
    ),
    "special_bessel": (
        "scipy.special.i0 scipy.special.i0e scipy.special.i1 scipy.special.i1e scipy.special.iv scipy.special.ive "
        "scipy.special.j0 scipy.special.j1 scipy.special.jv scipy.special.k0 scipy.special.k0e scipy.special.k1 "
        "scipy.special.k1e scipy.special.kv scipy.special.kve scipy.special.y0 scipy.special.y1 scipy.special.yv"
    ),
    "special_boxcox": (
        "scipy.special.boxcox scipy.special.boxcox1p scipy.special.cbrt scipy.special.cosm1 scipy.special.exp2 "
        "scipy.special.expm1 scipy.special.exprel scipy.special.inv_boxcox scipy.special.inv_boxcox1p "
        "scipy.special.log1p"
    ),
    "special_inverses": "scipy.special.betaincinv scipy.special.gammaincinv",
    "special_polynomials": (
        "scipy.special.eval_chebyt scipy.special.eval_chebyu scipy.special.eval_gegenbauer "
        "scipy.special.eval_genlaguerre scipy.special.eval_hermite scipy.special.eval_hermitenorm "
        "scipy.special.eval_jacobi scipy.special.eval_laguerre scipy.special.eval_legendre"
    ),
    "special_integrals": (
        "scipy.special.airy scipy.special.ellipe scipy.special.ellipk scipy.special.erfi scipy.special.exp1 "
        "scipy.special.exp10 scipy.special.expi scipy.special.fresnel scipy.special.owens_t scipy.special.rgamma "
        "scipy.special.shichi scipy.special.sici scipy.special.spence"
    ),
    "special_probability": (
        "scipy.special.chdtr scipy.special.chdtrc scipy.special.gammainccinv scipy.special.gdtr scipy.special.gdtrc "
        "scipy.special.huber scipy.special.pdtr scipy.special.pdtrc scipy.special.pseudo_huber"
    ),
}
MEMBERS: dict[str, str] = {
    "inplace": "add_ clamp_ clip_ copy_ div_ fill_ mul_ pow_ sub_ zero_",
    "protocols": "__array_function__ __array_ufunc__",
    "members": (
        "__array__ __array_namespace__ __ceil__ __complex__ __copy__ __deepcopy__ __dir__ __dlpack__ "
        "__dlpack_device__ __floor__ __format__ __reduce__ __round__ __trunc__ clone depends_on get_gradients numpy "
        "to_device tolist"
    ),
}
PROPERTIES: dict[str, str] = {
    "members": "T dependencies device gradient imag itemsize mH mT nbytes real trainable value",
}
MISSING = (
    "abs_ absolute addmm allclose amax amin arccos arccosh arcsin arcsinh arctan arctan2 arctanh argwhere bitwise_and "
    "bitwise_or bitwise_xor bmm bool byte ceil_ char cholesky chunk clamp clamp_max clamp_min contiguous cos_ cpu "
    "cuda data det detach_ diag dim div double dump dumps element_size eq equal erf_ exp_ expand expand_as fill fix "
    "flags flat float floor_ fmod gather ge get_device grad_fn greater greater_equal gt half hardshrink index_copy_ "
    "index_fill_ index_put_ index_select int inverse is_cuda is_floating_point le lerp less less_equal log_ long lt "
    "masked_fill masked_fill_ masked_select matrix_power mm movedim mul mv ndimension ne neg neg_ nelement new_full "
    "new_ones new_tensor new_zeros normal_ not_equal numel permute pin_memory pow prelu relu_ repeat_interleave "
    "reshape_as round_ rsqrt scatter_ sgn short sigmoid_ signbit sin_ slogdet softmin sqrt_ square_ squeeze_ strides "
    "sub swapdims t take_along_dim tanh_ to tobytes tofile topk transpose_ true_divide type type_as unbind unflatten "
    "uniform_ unsqueeze unsqueeze_ vdot view view_as where"
)
