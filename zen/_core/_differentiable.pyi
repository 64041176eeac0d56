# Importing the module registers its kernels.
