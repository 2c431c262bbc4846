"""The loop: the loss it minimises, the same parameters after a stop, and when it must stop."""

from dataclasses import replace

import pytest
import torch
from torch.distributions import Normal

from vaedocs.kl_divergence import diagonal_to_standard_normal
from vaedocs.reparameterization import sample
from vaedocs.training import loop, run_folder
from vaedocs.training.data import load
from vaedocs.training.loop import Trainer, epoch, make_step, measure, standard_normal
from vaedocs.training.objective import Objective
from vaedocs.training.run_folder import Run
from vaedocs.training.settings import Settings, UserError

QUICK = Settings(epochs=4, layers=(16,), batch=100)


@pytest.fixture(scope="module")
def digits():
    return load(QUICK)


def parameters(trainer):
    return torch.cat([p.detach().flatten() for p in trainer.objective.parameters()])


def trained(settings, data, folder=None):
    trainer = Trainer(settings.check(), data, folder)
    if folder is not None:
        run_folder.start(folder, settings, data)
    trainer.run()
    return trainer


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"likelihood": "binomial"},
        {"likelihood": "gaussian"},
        {"objective": "iwae", "samples": 3},
        {"objective": "beta", "beta": 4.0, "samples": 2},
        {"conditional": True, "activation": "softplus"},
        {"binarise": "dynamic", "schedule": "burda"},
        {"precision": "bf16"},
        {"precision": "fp64", "layers": ()},
    ],
    ids=str,
)
def test_a_resumed_run_has_the_parameters_of_one_never_stopped(tmp_path, options):
    """Bit for bit: parameters, optimiser, history but for the clock."""
    settings = replace(QUICK, **options).check()
    data = load(settings)
    straight = trained(settings, data)

    first = Trainer(settings, data, tmp_path / "run")
    run_folder.start(tmp_path / "run", settings, data)
    first.report = lambda metrics: stop_at(metrics, 2)
    with pytest.raises(KeyboardInterrupt):
        first.run()
    second = Trainer(settings, data, tmp_path / "run")
    second.resume(tmp_path / "run" / "last.pt")
    assert second.progress.epoch == 1, "the epoch that was interrupted is not in the checkpoint"
    second.run()

    assert torch.equal(parameters(straight), parameters(second))
    for p, q in zip(
        straight.optimiser.state.values(), second.optimiser.state.values(), strict=True
    ):
        assert all(torch.equal(p[name], q[name]) for name in p)
    assert [m["elbo"] for m in straight.progress.history] == [
        m["elbo"] for m in second.progress.history
    ]


def test_a_resumed_run_keeps_the_precision_that_auto_found(tmp_path, digits, monkeypatch):
    """The probe is a measurement: another machine, or a busy one, may answer otherwise."""
    settings = replace(QUICK, precision="auto")
    for gain, folder in ((9.0, tmp_path / "half"), (0.1, tmp_path / "full")):
        monkeypatch.setattr(loop, "bf16_gain", lambda *_, gain=gain: gain)
        assert trained(settings, digits, folder).objective.low_precision == (gain > 1)
        monkeypatch.setattr(loop, "bf16_gain", lambda *_, gain=gain: 1 / gain)
        again = Trainer(settings, digits, folder)
        again.resume(folder / "last.pt")
        assert again.objective.low_precision == (gain > 1)


def stop_at(metrics, when):
    if metrics["epoch"] == when:
        raise KeyboardInterrupt


def test_the_seed_decides(digits):
    one, same, other = (trained(replace(QUICK, epochs=1, seed=s), digits) for s in (0, 0, 1))
    assert torch.equal(parameters(one), parameters(same))
    assert not torch.equal(parameters(one), parameters(other))


def test_training_leaves_the_random_numbers_of_the_caller_alone(digits):
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    trained(replace(QUICK, epochs=1), digits)
    assert torch.equal(torch.rand(3), expected)


def test_a_pass_sees_every_row_once(digits):
    seen = []

    def step(index):
        seen.append(index)
        return torch.zeros(())

    losses = epoch(step, digits.train, 100, torch.Generator().manual_seed(0))
    assert [len(part) for part in seen] == [100] * 12 + [94]
    assert torch.equal(torch.cat(seen).sort().values, torch.arange(len(digits.train)))
    assert losses.shape == (13,)
    assert not torch.equal(torch.cat(seen), torch.arange(len(digits.train)))


def test_the_loss_is_minus_the_bound_in_nats_averaged_over_examples(digits):
    """Computed here from scratch for one batch: sums over dimensions, a mean over examples."""
    trainer = Trainer(QUICK, digits)
    model, generator = trainer.objective.model, trainer.generator
    index = torch.arange(50)
    state = generator.get_state()
    noise = standard_normal(QUICK, digits.train[index], generator)
    generator.set_state(state)
    x = digits.train[index]
    mean, log_variance = model.encoder(x)
    p = model.decoder(mean + (log_variance / 2).exp() * noise).sigmoid()
    log_p = (x * p.log() + (1 - x) * (1 - p).log()).sum(1)
    kl = 0.5 * (mean**2 + log_variance.exp() - 1 - log_variance).sum(1)
    expected = (kl - log_p).mean()
    step = make_step(
        trainer.objective, trainer.optimiser, trainer.data, QUICK, trainer.group, generator
    )
    assert step(index).item() == pytest.approx(expected.item(), rel=1e-5)


def test_the_gradient_of_the_loss_agrees_with_finite_differences(digits):
    """In double precision, the noise held fixed."""
    settings = replace(QUICK, precision="fp64", layers=(4,), likelihood="gaussian")
    data = load(settings)
    trainer = Trainer(settings, data)
    x = trainer.data.train[:7]
    noise = standard_normal(settings, x, trainer.generator)
    names, values = zip(*trainer.objective.named_parameters(), strict=True)

    def loss(*tensors):
        return torch.func.functional_call(
            trainer.objective, dict(zip(names, tensors, strict=True)), (x, noise)
        ).mean()

    assert torch.autograd.gradcheck(loss, values, fast_mode=True)


def test_the_importance_weighted_loss_is_the_logarithm_of_a_mean_weight(digits):
    """The weights p(x, z) / q(z|x) by torch.distributions, at the same samples."""
    settings = replace(QUICK, objective="iwae", samples=7)
    objective = Trainer(settings, digits).objective
    x = digits.train[:20]
    noise = standard_normal(settings, x, torch.Generator().manual_seed(0))
    mean, log_variance = objective.model.encoder(x)
    std = (log_variance / 2).exp()
    z = mean + std * noise
    log_p = -torch.nn.functional.binary_cross_entropy_with_logits(
        objective.model.decoder(z), x.expand(7, -1, -1), reduction="none"
    ).sum(-1)
    weights = log_p + Normal(0, 1).log_prob(z).sum(-1) - Normal(mean, std).log_prob(z).sum(-1)
    assert noise.shape == (7, 20, 2)
    torch.testing.assert_close(-objective(x, noise), weights.exp().mean(0).log())


def test_beta_weights_the_divergence_alone(digits):
    one, four = (
        Trainer(replace(QUICK, objective="beta", beta=b), digits).objective for b in (1.0, 4.0)
    )
    x = digits.train[:5]
    noise = torch.zeros(5, 2)
    mean, log_variance = one.model.encoder(x)
    kl = diagonal_to_standard_normal(mean, log_variance)
    torch.testing.assert_close(four(x, noise) - one(x, noise), 3 * kl)


def test_bf16_changes_the_loss_by_less_than_a_percent(digits):
    full, half = (Trainer(replace(QUICK, precision=p), digits).objective for p in ("fp32", "bf16"))
    x, noise = digits.train[:200], torch.randn(200, 2, generator=torch.Generator().manual_seed(0))
    a, b = full(x, noise), half(x, noise)
    assert b.dtype == torch.float32
    assert not torch.equal(a, b)
    assert ((a - b).abs() / a).max() < 0.01


def test_training_helps_and_active_units_are_counted(digits):
    settings = replace(QUICK, epochs=30, learning_rate=5e-3)
    trainer = trained(settings, digits)
    history = trainer.progress.history
    assert history[-1]["elbo"] > history[0]["elbo"] + 2
    found = measure(trainer.objective, trainer.data.test, None, trainer.data, seed=0)
    assert found["elbo"] == pytest.approx(found["reconstruction"] - found["kl"])
    mean, _ = trainer.objective.model.encoder(trainer.data.test)
    assert found["active_units"] == int((mean.var(0) > 0.01).sum())


def test_a_diverging_loss_stops_with_its_step_and_keeps_the_good_checkpoint(tmp_path, digits):
    settings = replace(QUICK, epochs=50, learning_rate=1e12, schedule="constant")
    trainer = Trainer(settings, digits, tmp_path)
    run_folder.start(tmp_path, settings, digits)
    with pytest.raises(
        UserError, match=r"the loss became (nan|inf) at step \d+ \(epoch \d+\)"
    ) as e:
        trainer.run()
    assert "smaller --learning-rate" in str(e.value)
    assert str(tmp_path / "last.pt") in str(e.value)
    state = run_folder.load_state(tmp_path / "last.pt")
    assert all(p.isfinite().all() for p in state["model"].values())


def test_patience_stops_and_the_best_networks_are_kept(tmp_path, digits):
    """With a learning rate far too high the validation ELBO soon stops rising."""
    settings = replace(
        QUICK, epochs=200, learning_rate=0.05, schedule="constant", patience=3, layers=(64, 64)
    )
    trainer = trained(settings, digits, tmp_path)
    history = trainer.progress.history
    assert len(history) < 200
    best = max(range(len(history)), key=lambda i: history[i]["elbo"])
    assert len(history) - 1 - best == 3
    again = Run.open(tmp_path)
    found = measure(
        Objective(again.model, again.likelihood, settings),
        again.data.validation, None, again.data, seed=1,
    )  # fmt: skip
    assert found["elbo"] == pytest.approx(history[best]["elbo"], abs=1e-5)


def test_a_budget_of_processor_time_is_kept(digits):
    settings = replace(QUICK, epochs=100_000, budget=0.5)
    trainer = trained(settings, digits)
    assert 0.5 <= trainer.progress.spent < 1.5
    assert trainer.optimiser.param_groups[0]["lr"] < settings.learning_rate / 5


def test_no_cuda_says_how_many_there_are(digits):
    if torch.cuda.is_available():
        pytest.skip("this machine has a GPU")
    with pytest.raises(UserError, match="this machine has 0 CUDA devices; try cpu"):
        Trainer(replace(QUICK, device="cuda"), digits)


def test_the_encoder_sees_the_label_in_a_conditional_model():
    settings = replace(QUICK, conditional=True)
    trainer = Trainer(settings, load(settings))
    x = trainer.data.train[:3]
    y = trainer.data.one_hot(trainer.data.train_labels, torch.arange(3))
    outputs, mean, log_variance = trainer.objective.model(x, torch.zeros(3, 2), y)
    other = trainer.objective.model(x, torch.zeros(3, 2), y.roll(1, 0))
    assert outputs.shape == x.shape
    assert not torch.equal(mean, other[1])
    z = sample(mean, log_variance, torch.zeros(4, 3, 2))
    assert trainer.objective.model.decoder(z, y).shape == (4, 3, 64)
