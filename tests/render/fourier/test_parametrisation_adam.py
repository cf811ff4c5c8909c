"""Adam equals torch's own, to rounding."""

import torch

from render.fourier.parametrisation import Adam


def test_it_ascends_like_torchs_adam() -> None:
    torch.manual_seed(2)
    start, gradients = torch.randn(50, dtype=torch.float64), torch.randn(20, 50).double()
    theirs = start.clone().requires_grad_()
    optimizer = torch.optim.Adam([theirs], lr=0.05, maximize=True)
    ours = start.clone()
    adam = Adam(ours, 0.05)

    for gradient in gradients:
        theirs.grad = gradient.clone()
        optimizer.step()
        adam.step(gradient)

    torch.testing.assert_close(ours, theirs.detach(), rtol=1e-12, atol=1e-12)
