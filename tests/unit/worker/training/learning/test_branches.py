import torch

from worker.model import RELEASED_SIZES, build_model
from worker.training.learning.branches import answers, branch_heads
from worker.training.learning.recipe import ORIGINAL, Recipe

WINDOWS = torch.rand(3, 1, 64, 128, generator=torch.Generator().manual_seed(2)) * 80 - 80


def make_model():
    torch.manual_seed(1)
    return build_model("pcrnn", RELEASED_SIZES).eval()


def test_the_first_answer_is_the_networks_own():
    model = make_model()

    joint, *alone = answers(model, branch_heads(model, Recipe()), WINDOWS)

    assert torch.equal(joint, model(WINDOWS))
    assert [logits.shape for logits in alone] == [(3, 10), (3, 10)]


def test_each_branch_learns_from_its_own_answer_and_the_other_branch_does_not():
    model = make_model().train()
    _, of_cnn, of_gru = answers(model, branch_heads(model, Recipe()), WINDOWS)

    of_cnn.sum().backward(retain_graph=True)
    assert model.cnn[0].weight.grad.abs().sum() > 0
    assert model.gru.weight_ih_l0.grad is None
    assert model.linear.weight.grad is None

    model.zero_grad()
    of_gru.sum().backward()
    assert model.cnn[0].weight.grad is None
    assert model.gru.weight_ih_l0.grad.abs().sum() > 0


def test_without_a_branch_loss_there_is_one_answer():
    model = make_model()
    heads = branch_heads(model, Recipe(branch_loss=0.0))

    assert not heads
    assert len(answers(model, heads, WINDOWS)) == 1
    assert not branch_heads(build_model("pcrnn-original", {}), ORIGINAL)
