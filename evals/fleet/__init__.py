"""The fleet simulator: a small serving model from which series, objects and logs of a GPU fleet follow.

- ``recipe``: the recipe (``fleet.yaml``) and how it is read: ``load(path)``, ``parse(data)``.
- ``world``: ``build(recipe, end) -> World`` with ``objects``, ``logs``, ``steps()``, ``columns``, and
  ``objects_at``/``logs_at`` to go on.
- ``openmetrics``: ``write(world.columns, path, budget)``; ``prometheus``: a real Prometheus over such files;
  ``live``: the same fleet
  in wall-clock time, scraped over HTTP; ``folder``: an incident's folder, written and read.
- The model: ``traffic`` (arrivals), ``startup`` (memory plan), ``engine`` and ``host`` (serving), ``devices``
  (GPUs), ``kubelet``,
  ``scheduler``, ``autoscaler``, ``simulation`` (all of it in motion).
- The exporters: ``vllm_series``, ``dcgm_series``, ``node_series``, ``ksm``; ``targets`` says who is scraped
  under which labels.
- ``python -m evals.fleet RECIPE --out DIR [--end TIME]`` writes a folder to look at.
"""
