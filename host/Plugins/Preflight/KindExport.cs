using System.Reflection.Metadata;
using NicHost.Contracts.Devices;
using NicHost.Contracts.Endpoints;

namespace NicHost.Host.Plugins.Preflight;

/// <summary>A class that is marked as the factory of a kind.</summary>
internal sealed record KindExport(bool IsDevice, string Kind, string Type)
{
    private const string OtherMef = "System.ComponentModel.Composition";

    /// <summary>All of an assembly, and the types that are exported for the other MEF, which this host does not see.</summary>
    public static (IReadOnlyList<KindExport> Kinds, IReadOnlyList<string> Strangers) ReadAll(MetadataReader reader)
    {
        var kinds = new List<KindExport>();
        var strangers = new List<string>();
        foreach (var definition in reader.TypeDefinitions.Select(reader.GetTypeDefinition))
        {
            foreach (var attribute in definition.GetCustomAttributes().Select(reader.GetCustomAttribute))
            {
                if (AttributeText.Type(reader, attribute) is not { } type) continue;
                var isDevice = type == Name(typeof(DeviceKindAttribute));
                if (isDevice || type == Name(typeof(EndpointKindAttribute)))
                    kinds.Add(new KindExport(isDevice, AttributeText.Text(reader, attribute) ?? "", reader.GetString(definition.Name)));
                else if (type.Namespace == OtherMef) strangers.Add(reader.GetString(definition.Name));
            }
        }
        return (kinds, strangers);
    }

    private static (string Assembly, string Namespace, string Name) Name(Type type) => (type.Assembly.GetName().Name!, type.Namespace!, type.Name);
}
