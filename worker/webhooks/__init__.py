"""The dispatcher: sends the webhooks that wait in Redis. It knows no song and changes no job."""
