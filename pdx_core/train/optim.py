"""The optimiser of a run: which parameters are trained, with which decay and which share of the learning rate."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from pdx_core.errors import ConfigError, WeightsError, did_you_mean
from pdx_core.paddle_support import create_optimizer_state, require_paddle
from pdx_core.settings import OptimizerConfig

require_paddle()

import paddle  # noqa: E402
from paddle import nn  # noqa: E402

_GROUPS = ("norm", "1d")  # names with a meaning of their own in `no_decay`


def freeze_parameters(network: nn.Layer, patterns: Iterable[str]) -> list[str]:
    """Stop the gradient of every parameter whose name a pattern finds; returns their names.

    Raises ConfigError for a pattern that finds nothing, and when nothing would be left to train.
    """
    names = [name for name, parameter in network.named_parameters() if not parameter.stop_gradient]
    frozen: set[str] = set()
    for pattern in patterns:
        found = {name for name in names if _compile(pattern, "Train.freeze").search(name)}
        if not found:
            raise ConfigError(
                f"Train.freeze: {pattern!r} matches no parameter of the network.{did_you_mean(pattern, names)} "
                f"Names look like {', '.join(names[:3])}"
            )
        frozen |= found
    if len(frozen) == len(names):
        raise ConfigError("Train.freeze: every parameter would be frozen; leave at least the head to train")
    for name, parameter in network.named_parameters():
        if name in frozen:
            parameter.stop_gradient = True
    return [name for name in names if name in frozen]


def set_training_mode(network: nn.Layer) -> None:
    """Training mode, except for normalisation whose parameters are frozen: its statistics stay frozen too."""
    network.train()
    for layer in network.sublayers():
        own = list(layer.parameters(include_sublayers=False))
        if is_norm(layer) and own and all(parameter.stop_gradient for parameter in own):
            layer.eval()


def is_norm(layer: nn.Layer) -> bool:
    """Whether a layer normalises (batch, layer, group ... norm); told by its class name, so plugins' own count too."""
    return "norm" in type(layer).__name__.lower() and not layer.sublayers()


def trained_parameters(network: nn.Layer) -> dict[str, Any]:
    """Parameters that learn, by name; Paddle lists running statistics as parameters too, with `stop_gradient` set."""
    return {name: parameter for name, parameter in network.named_parameters() if not parameter.stop_gradient}


def decayed_names(network: nn.Layer, no_decay: Iterable[str]) -> set[str]:
    """Names of the trained parameters that weight decay applies to.

    no_decay: regular expressions searched in parameter names; "norm" stands for the scale and shift of normalisation
              layers, "1d" for everything with at most one axis (biases, norms)
    """
    parameters = trained_parameters(network)
    norms = {
        id(parameter)
        for layer in network.sublayers(include_self=True)
        if is_norm(layer)
        for parameter in layer.parameters(include_sublayers=False)
    }
    rules = tuple(no_decay)
    patterns = [_compile(rule, "Train.optimizer.no_decay") for rule in rules if rule not in _GROUPS]
    return {
        name
        for name, parameter in parameters.items()
        if not ("norm" in rules and id(parameter) in norms)
        and not ("1d" in rules and len(parameter.shape) <= 1)
        and not any(pattern.search(name) for pattern in patterns)
    }


def lr_factor(name: str, factors: Mapping[str, float]) -> float:
    """Product of the factors of all patterns found in a parameter's name; 1 without any."""
    factor = 1.0
    for pattern, value in factors.items():
        if _compile(pattern, "Train.optimizer.lr_factors").search(name):
            factor *= value
    return factor


def build_optimizer(network: nn.Layer, config: OptimizerConfig, learning_rate: float) -> Any:
    """A Paddle optimiser over the trained parameters, with all of its state already created.

    Rules are attached to the parameters instead of passing groups, because Paddle clips the norm of each group
    on its own, which is not the global norm the recipes mean. `momentum`, `sgd` and `adam` decay by adding to the
    gradient (L2), `adamw` shrinks the weights (decoupled).
    """
    parameters = trained_parameters(network)
    if not parameters:
        raise ConfigError("the network has no parameter to train")
    decayed = decayed_names(network, config.no_decay)
    coupled = config.name != "adamw"
    for name, parameter in parameters.items():
        parameter.optimize_attr["learning_rate"] = lr_factor(name, config.lr_factors)
        if coupled:
            # A coefficient of zero, not None: None would fall back to the decay of the whole optimiser.
            decay = config.weight_decay if name in decayed else 0.0
            parameter.regularizer = paddle.regularizer.L2Decay(decay) if config.weight_decay else None
    common: dict[str, Any] = {
        "learning_rate": learning_rate,
        "parameters": list(parameters.values()),
        "grad_clip": _clip(config),
    }
    adam = {"beta1": config.beta1, "beta2": config.beta2, "epsilon": config.epsilon}
    if config.name == "momentum":
        optimizer = paddle.optimizer.Momentum(momentum=config.momentum, multi_precision=True, **common)
    elif config.name == "sgd":
        optimizer = paddle.optimizer.SGD(multi_precision=True, **common)
    elif config.name == "adam":
        optimizer = paddle.optimizer.Adam(multi_precision=True, **adam, **common)
    else:
        paddle_names = {parameters[name].name for name in decayed}
        optimizer = paddle.optimizer.AdamW(
            weight_decay=config.weight_decay,
            apply_decay_param_fun=lambda name: name in paddle_names,
            multi_precision=True,
            **adam,
            **common,
        )
    create_optimizer_state(optimizer, list(parameters.values()))
    return optimizer


def optimizer_state(network: nn.Layer, optimizer: Any) -> dict[str, np.ndarray]:
    """State of the optimiser as arrays named "<parameter of the network>@<state>", the same in every process."""
    return {name: tensor.numpy() for name, tensor in _state_tensors(network, optimizer).items()}


def load_optimizer_state(network: nn.Layer, optimizer: Any, state: Mapping[str, np.ndarray]) -> None:
    """Fill the optimiser from what `optimizer_state` gave; raises WeightsError when names or shapes differ."""
    tensors = _state_tensors(network, optimizer)
    missing, unexpected = sorted(set(tensors) - set(state)), sorted(set(state) - set(tensors))
    if missing or unexpected:
        raise WeightsError(
            "the saved optimiser state is of another network or optimiser: "
            f"{len(missing)} entries missing {missing[:3]}, {len(unexpected)} unexpected {unexpected[:3]}; "
            "resume with the settings of the run, or start a new one with --pretrained"
        )
    for name, tensor in tensors.items():
        if tuple(tensor.shape) != tuple(state[name].shape):
            raise WeightsError(
                f"the saved optimiser state {name!r} has shape {tuple(state[name].shape)}, "
                f"the network needs {tuple(tensor.shape)}"
            )
        tensor.set_value(state[name])


def _state_tensors(network: nn.Layer, optimizer: Any) -> dict[str, Any]:
    """The live state tensors by our names.

    Paddle calls them "<parameter>_<state>_<counter>", where parameter and counter depend on what else the process
    built before, e.g. "conv2d_0.w_0_velocity_0".
    """
    ours = {parameter.name: name for name, parameter in trained_parameters(network).items()}
    state = dict(optimizer.state_dict())
    masters = state.pop("master_weights", None) or {}
    state.pop("LR_Scheduler", None)
    tensors = {f"{ours[name]}@master": tensor for name, tensor in masters.items() if name in ours}
    for key, tensor in state.items():
        match = max((name for name in ours if key.startswith(name + "_")), key=len, default=None)
        assert match is not None, f"optimiser state {key!r} belongs to no parameter"
        tensors[f"{ours[match]}@{key[len(match) + 1 :].rpartition('_')[0]}"] = tensor
    return tensors


def _clip(config: OptimizerConfig) -> Any:
    if config.clip_norm is not None and config.clip_value is not None:
        raise ConfigError("Train.optimizer: clip_norm and clip_value exclude each other; give one")
    if config.clip_norm is not None:
        return nn.ClipGradByGlobalNorm(config.clip_norm)
    if config.clip_value is not None:
        return nn.ClipGradByValue(config.clip_value)
    return None


def _compile(pattern: str, key: str) -> re.Pattern[str]:
    try:
        return re.compile(pattern)
    except re.error as error:
        raise ConfigError(f"{key}: {pattern!r} is not a regular expression: {error}") from error
