namespace NicHost.Host.Plugins;

/// <summary>A plugin that cannot be used; the message is written for its author.</summary>
internal sealed class PluginException : Exception
{
    public PluginException(string message) : base(message) { }

    public PluginException(string message, Exception inner) : base(message, inner) { }
}
