"""Keys that PaddleX 3 defines and pdx has no use for: files that hold them are read, with a notice."""

from __future__ import annotations

# dotted key -> what to tell the user. A whole section is one entry.
IGNORED_KEYS: dict[str, str] = {
    "CheckDataset.split.gallery_percent": "belongs to image retrieval, which pdx does not have",
    "CheckDataset.split.query_percent": "belongs to image retrieval, which pdx does not have",
    "Train.dy2st": "pdx trains in dynamic mode and exports at the end",
    "Train.uniform_output_enabled": "pdx always lays its output out in the published form",
    "Train.dist_ips": "several machines are started with paddle.distributed.launch",
    "Train.use_vdl": "VisualDL is used whenever it is installed",
    "Predict.use_hpip": "pdx picks the fastest runtime that gives the network's numbers by itself",
    "Predict.hpip_config": "pdx picks the fastest runtime that gives the network's numbers by itself",
    "Predict.hpi_config": "pdx picks the fastest runtime that gives the network's numbers by itself",
    "Predict.kernel_option.cpu_threads": "set OMP_NUM_THREADS instead",
    "Predict.kernel_option.delete_pass": "pdx checks every runtime against the network instead",
    "Predict.kernel_option.enable_new_ir": "pdx decides it by the form of the exported graph",
    "Predict.kernel_option.mkldnn_cache_capacity": "pdx leaves it to Paddle",
    "Predict.kernel_option.trt_dynamic_shapes": "pdx takes the sizes from the exported model",
    "Predict.kernel_option.min_subgraph_size": "pdx leaves it to Paddle",
    "Predict.kernel_option.shape_info_filename": "pdx takes the sizes from the exported model",
    "Pdparams2safetensors": "pdx reads both forms",
}
