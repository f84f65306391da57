"""The alternative text of a figure that comes without one: its panels, names and numbers."""


def describe(figure):
    """A sentence for each panel: its title, its axes, and each line or bar that has a name."""
    panels = [text for text in map(_panel, figure.axes) if text]
    count = f"{len(panels)} panels. " if len(panels) > 1 else ""
    return count + " ".join(f"{text[0].upper()}{text[1:]}." for text in panels)


def _panel(ax):
    axes = " against ".join(filter(None, (ax.get_ylabel(), ax.get_xlabel())))
    words = [ax.get_title(loc="left") or ax.get_title(), axes.replace("\n", " ")]
    for line in ax.lines:
        y = line.get_ydata()
        if not line.get_label().startswith("_") and len(y) > 2:
            words.append(f"{line.get_label()} from {y[0]:.2f} to {y[-1]:.2f}")
    rows = [label.get_text() for label in ax.get_yticklabels()]
    for bars in (one for one in ax.containers if one.orientation == "horizontal"):
        values = ", ".join(f"{n} {v:.2f}" for n, v in zip(rows, bars.datavalues, strict=False))
        words.append(f"{bars.get_label()}: {values}".removeprefix("0: "))
    clouds = [cloud.get_label() for cloud in ax.collections]
    words += [f"points: {name}" for name in clouds if not name.startswith("_")]
    written = [" ".join(text.get_text().split()) for text in ax.texts]  # all that a diagram has
    return "; ".join(filter(None, words)) or ", ".join(filter(None, written))
