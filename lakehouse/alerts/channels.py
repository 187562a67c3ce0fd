"""The channels that the settings name."""

from functools import partial

from lakehouse.alerts import mail, slack
from lakehouse.alerts.delivery import Channel
from lakehouse.sections import Alerts


def configured(alerts: Alerts) -> list[Channel]:
    """Slack where there is a webhook, mail where there are a server and recipients."""
    channels = []
    if alerts.slack_webhook.get_secret_value():
        channels.append(Channel("slack", partial(slack.post, alerts)))
    if alerts.smtp_host and mail.recipients(alerts):
        channels.append(Channel("mail", partial(mail.post, alerts)))
    return channels


def missing(alerts: Alerts) -> dict[str, str]:
    """For each channel that is not configured, the settings that it needs."""
    found = {}
    if not alerts.slack_webhook.get_secret_value():
        found["slack"] = "alerts.slack_webhook"
    lacks = [
        name for name, value in (("smtp_host", alerts.smtp_host), ("mail_to", mail.recipients(alerts))) if not value
    ]
    if lacks:
        found["mail"] = " and ".join(f"alerts.{name}" for name in lacks)
    return found
