"""A conversation that tests share."""

from uuid import UUID

from events.chat import Manner, MessageSent, ProjectCreated, ProjectDeleted, ReplyEnded, ReplyRequested
from handlers.chat.project.commands import CreateProject, EndReply, RequestReply, SendMessage

PROJECT = UUID(int=1)
M1, R1, M2, R2, R3 = (UUID(int=n) for n in range(11, 16))
MANNER = Manner(model="tiny", instructions="Be brief.")

create = CreateProject(project_id=PROJECT, title=None, manner=MANNER)
CREATED = ProjectCreated(project_id=PROJECT, title="New Project", manner=MANNER)

send = SendMessage(project_id=PROJECT, message_id=M1, reply_id=R1, content="Hello")
SENT = MessageSent(project_id=PROJECT, message_id=M1, reply_id=R1, manner=MANNER, messages=1, content="Hello")
end = EndReply(project_id=PROJECT, reply_id=R1, outcome="completed", content="Hi", model="tiny")
ENDED = ReplyEnded(
    project_id=PROJECT,
    reply_id=R1,
    message_id=M1,
    outcome="completed",
    content="Hi",
    messages=2,
    model="tiny",
)
send_more = SendMessage(project_id=PROJECT, message_id=M2, reply_id=R2, content="More")
SENT_MORE = MessageSent(
    project_id=PROJECT, message_id=M2, reply_id=R2, manner=MANNER, messages=3, content="More", parent_id=R1
)
ask_again = RequestReply(project_id=PROJECT, reply_id=R3, message_id=M1)
ASKED_AGAIN = ReplyRequested(
    project_id=PROJECT, reply_id=R3, message_id=M1, manner=MANNER, messages=2, before=R1
)
DELETED = ProjectDeleted(project_id=PROJECT)
