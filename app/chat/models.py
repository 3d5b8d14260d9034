"""`GET /v1/models`: what can be asked."""

from app.chat.views import Models, ModelView
from app.http.endpoints import Call, Endpoint, Reply
from handlers.chat.project.reply import NO_MODEL
from handlers.refusals import Unavailable
from infra.generation import GenerationUnavailable, Generator, Model


def endpoint(generator: Generator | None) -> Endpoint:
    """The models of every server that is configured and answers."""

    async def models(call: Call[None, None]) -> Reply:
        if generator is None:
            return Reply(body=Models(items=(), default=None, detail=NO_MODEL))
        try:
            found = await generator.models()
        except GenerationUnavailable as away:
            raise Unavailable(away.code, away.detail, retry_after=5) from None
        items = tuple(_view(each, generator.model) for each in found)
        return Reply(body=Models(items=items, default=generator.model))

    return Endpoint(
        method="GET",
        path="/v1/models",
        handle=models,
        summary="Models that can be asked",
        tag="chat",
        scope="chat:read",
        answer=Models,
        refusals=(Unavailable,),
    )


def _view(model: Model, default: str) -> ModelView:
    id = f"{model.provider}:{model.name}"
    return ModelView(
        id=id,
        name=model.name,
        provider=model.provider,
        default=id.removesuffix(":latest") == default.removesuffix(":latest"),
        context_tokens=model.context_tokens,
        digest=model.digest,
    )
