"""The environment: settings and a release in, four layers of components, exports out."""

import pulumi

import assembly
from assembly import layers
from releases.acceptance import accepted
from settings import StackSettings

settings = StackSettings.load()
release, prompts = accepted(settings)
assembly.check_task_size(settings, release, prompts)
assembly.warn_about_unknown_models(settings)
assembly.bound_roles(settings)
assembly.serve_the_deployment(settings)

private = layers.foundation(settings, release, prompts)
path = layers.request_path(settings, release, prompts, private)
services = layers.model_services(settings, release, private, path)
dashboard = layers.monitoring(settings, private, path, services)

outputs = assembly.outputs(
    settings,
    release,
    operations=private.operations,
    workload=private.workload,
    data=private.data,
    edge=path.edge,
    service=path.service,
    dashboard=dashboard,
)
for name, value in sorted({**outputs, **services.outputs}.items()):
    pulumi.export(name, value)
